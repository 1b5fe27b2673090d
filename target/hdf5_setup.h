/*
 * How libhdf5 is to behave in this program.
 */
#ifndef TARGET_HDF5_SETUP_H
#define TARGET_HDF5_SETUP_H

/*
 * To be called before anything else of libhdf5; again does no harm. It then prints nothing itself,
 * our sentence says it, and does not tidy up when the program exits: every file is closed by then,
 * and after a full disk libhdf5 1.10 crashes there.
 */
void hdf5_setup(void);

#endif
