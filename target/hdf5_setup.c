#include "hdf5_setup.h"

#include <hdf5.h>

void hdf5_setup(void)
{
	H5dont_atexit();
	H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}
