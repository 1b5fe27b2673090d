#include "hdf5_output.h"

#include "hdf5_setup.h"
#include "palette.h"
#include "progress.h"

#include <errno.h>
#include <hdf5.h>
#include <stdbool.h>
#include <string.h>

/* One data set while it is written. */
struct tiled {
	hid_t dataset;
	hid_t type;	    /* of the values in memory */
	hsize_t tile[3];    /* height, width, depth of one tile */
	unsigned tiles;	    /* each way */
	const void *values; /* one tile's */
};

static int cannot_write(const char *path, struct failure *err)
{
	return fail(err, "%s cannot be written: %s; make room or choose a smaller size", path,
		errno ? strerror(errno) : "HDF5 gives no reason");
}

static hid_t create_dataset(
	hid_t file, const char *name, hid_t file_type, const struct tiled *tiled)
{
	const hsize_t dims[3] = {
		tiled->tile[0] * tiled->tiles, tiled->tile[1] * tiled->tiles, tiled->tile[2]};
	hid_t space = H5Screate_simple(3, dims, NULL);
	hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
	hid_t dataset = -1;

	/*
	 * Every value is written: no need to fill the space with zeros first. Without times the
	 * same seed gives the same file.
	 */
	if (space >= 0 && properties >= 0 && H5Pset_layout(properties, H5D_CONTIGUOUS) >= 0 &&
		H5Pset_fill_time(properties, H5D_FILL_TIME_NEVER) >= 0 &&
		H5Pset_obj_track_times(properties, false) >= 0)
		dataset = H5Dcreate2(
			file, name, file_type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
	H5Pclose(properties);
	H5Sclose(space);
	return dataset;
}

static int write_tile(const struct tiled *tiled, unsigned row, unsigned column)
{
	const hsize_t start[3] = {row * tiled->tile[0], column * tiled->tile[1], 0};
	hid_t in_file = H5Dget_space(tiled->dataset);
	hid_t in_memory = H5Screate_simple(3, tiled->tile, NULL);
	int failed =
		H5Sselect_hyperslab(in_file, H5S_SELECT_SET, start, NULL, tiled->tile, NULL) < 0 ||
		H5Dwrite(tiled->dataset, tiled->type, in_memory, in_file, H5P_DEFAULT,
			tiled->values) < 0;

	H5Sclose(in_memory);
	H5Sclose(in_file);
	return failed;
}

static int write_tiles(const struct tiled *tiled, const volatile sig_atomic_t *interrupted)
{
	for (unsigned row = 0; row < tiled->tiles; row++)
		for (unsigned column = 0; column < tiled->tiles; column++) {
			progress_show("writing tiles", row * tiled->tiles + column,
				tiled->tiles * tiled->tiles);
			if (*interrupted || write_tile(tiled, row, column))
				return -1;
		}
	return 0;
}

/* Creates the data set, writes every tile, closes it. */
static int write_dataset(hid_t file, const char *name, hid_t file_type, struct tiled *tiled,
	const volatile sig_atomic_t *interrupted)
{
	int failed;

	tiled->dataset = create_dataset(file, name, file_type, tiled);
	if (tiled->dataset < 0)
		return -1;
	failed = write_tiles(tiled, interrupted);
	return H5Dclose(tiled->dataset) < 0 ? -1 : failed;
}

static int write_tile_count(hid_t file, unsigned tiles)
{
	hid_t space = H5Screate(H5S_SCALAR);
	hid_t attribute = H5Acreate2(file, "tiles", H5T_STD_U32LE, space, H5P_DEFAULT, H5P_DEFAULT);
	int failed = attribute < 0 || H5Awrite(attribute, H5T_NATIVE_UINT, &tiles) < 0;

	if (attribute >= 0)
		H5Aclose(attribute);
	H5Sclose(space);
	return failed;
}

/*
 * The file format of HDF5 1.8, whose metadata have checksums: damage is found when the file is
 * opened. libhdf5 1.10 crashes on some damaged files of the older format, which is its default.
 * Nothing bears a time, so that the same seed gives the same file.
 */
static hid_t create_file(const char *path)
{
	hid_t creation = H5Pcreate(H5P_FILE_CREATE), access = H5Pcreate(H5P_FILE_ACCESS);
	hid_t file = -1;

	if (creation >= 0 && access >= 0 && H5Pset_obj_track_times(creation, false) >= 0 &&
		H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18) >= 0)
		file = H5Fcreate(path, H5F_ACC_TRUNC, creation, access);
	H5Pclose(access);
	H5Pclose(creation);
	return file;
}

static int write_datasets(hid_t file, unsigned tiles, const struct picture *image,
	const double *probabilities, const volatile sig_atomic_t *interrupted)
{
	struct tiled pixels = {
		-1, H5T_NATIVE_UINT8, {image->height, image->width, 3}, tiles, image->rgb};
	struct tiled chances = {-1, H5T_NATIVE_DOUBLE, {image->height, image->width, CLASS_COUNT},
		tiles, probabilities};

	return write_tile_count(file, tiles) ||
	       write_dataset(file, "image", H5T_STD_U8LE, &pixels, interrupted) ||
	       write_dataset(file, "probabilities", H5T_IEEE_F64LE, &chances, interrupted);
}

int hdf5_output_write(const char *path, unsigned tiles, const struct picture *image,
	const double *probabilities, const volatile sig_atomic_t *interrupted, struct failure *err)
{
	hid_t file;
	int failed;

	hdf5_setup();
	errno = 0;
	file = create_file(path);
	if (file < 0)
		return cannot_write(path, err);
	failed = write_datasets(file, tiles, image, probabilities, interrupted);
	if (failed)
		cannot_write(path, err);
	/* What is still in HDF5's buffers is written here. */
	if (H5Fclose(file) < 0 && !failed)
		failed = cannot_write(path, err);
	return failed ? -1 : 0;
}
