#include "hdf5_input.h"

#include "allocate.h"
#include "data_set.h"
#include "hdf5_setup.h"
#include "palette.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int damaged(const struct hdf5_input *input, const char *what, struct failure *err)
{
	return fail(err,
		"%s is damaged or not ours: %s; make it again with `segment generate` into data/, "
		"or "
		"give another directory with --data",
		input->path, what);
}

/* Where open(2) knows the reason, it says it better than HDF5 does. */
static int check_readable(const struct hdf5_input *input, struct failure *err)
{
	int fd = open(input->path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	if (errno == ENOENT || errno == ENOTDIR)
		return fail(err,
			"there is no data: %s does not exist; make it with `segment generate` "
			"(sizes s m "
			"l xl, into data/), or give its directory with --data",
			input->path);
	return fail(err, "%s cannot be read: %s", input->path, strerror(errno));
}

/* Fills dims with the (H, W, depth) of a whole, contiguous data set; -1 when it is anything else.
 */
static int dataset_shape(hid_t file, hid_t dataset, H5T_class_t class, size_t value_bytes,
	hsize_t depth, hsize_t dims[3])
{
	hid_t space = H5Dget_space(dataset), type = H5Dget_type(dataset);
	hsize_t file_bytes = 0, bytes = 0;
	int good = space >= 0 && type >= 0 && H5Sget_simple_extent_ndims(space) == 3 &&
		   H5Sget_simple_extent_dims(space, dims, NULL) == 3 && dims[2] == depth &&
		   dims[0] > 0 && dims[1] > 0 && H5Tget_class(type) == class &&
		   H5Tget_size(type) == value_bytes && H5Fget_filesize(file, &file_bytes) >= 0 &&
		   !__builtin_mul_overflow(dims[0], dims[1], &bytes) &&
		   !__builtin_mul_overflow(bytes, depth * value_bytes, &bytes) &&
		   /* so that a damaged size cannot ask for more memory than the file has bytes */
		   H5Dget_storage_size(dataset) == bytes && bytes <= file_bytes;

	if (type >= 0)
		H5Tclose(type);
	if (space >= 0)
		H5Sclose(space);
	return good ? 0 : -1;
}

static int open_datasets(struct hdf5_input *input, struct failure *err)
{
	hsize_t probabilities[3], image[3];

	input->file = H5Fopen(input->path, H5F_ACC_RDONLY, H5P_DEFAULT);
	if (input->file < 0)
		return damaged(input, "it is no whole HDF5 file", err);
	input->probabilities = H5Dopen2(input->file, "probabilities", H5P_DEFAULT);
	input->image = H5Dopen2(input->file, "image", H5P_DEFAULT);
	if (input->probabilities < 0 || input->image < 0)
		return damaged(input, "it lacks the data set 'probabilities' or 'image'", err);
	if (dataset_shape(input->file, input->probabilities, H5T_FLOAT, sizeof(double), CLASS_COUNT,
		    probabilities))
		return damaged(input, "'probabilities' is not (height, width, 4) float64", err);
	if (dataset_shape(input->file, input->image, H5T_INTEGER, 1, 3, image))
		return damaged(input, "'image' is not (height, width, 3) uint8", err);
	if (image[0] != probabilities[0] || image[1] != probabilities[1])
		return damaged(input, "'image' and 'probabilities' differ in size", err);
	input->height = probabilities[0];
	input->width = probabilities[1];
	return 0;
}

static unsigned read_tiles(hid_t file)
{
	hid_t attribute = H5Aopen(file, "tiles", H5P_DEFAULT);
	unsigned tiles = 0;

	if (attribute < 0)
		return 0;
	if (H5Aread(attribute, H5T_NATIVE_UINT, &tiles) < 0)
		tiles = 0;
	H5Aclose(attribute);
	return tiles;
}

int hdf5_input_open(struct hdf5_input *input, const char *directory, struct failure *err)
{
	*input = (struct hdf5_input){.file = -1, .probabilities = -1, .image = -1};
	hdf5_setup();
	if (data_set_hdf5_path(directory, input->path, err) || check_readable(input, err))
		return -1;
	if (open_datasets(input, err)) {
		hdf5_input_close(input);
		return -1;
	}
	input->tiles = read_tiles(input->file);
	return 0;
}

int hdf5_input_read(const struct hdf5_input *input, double *probabilities, struct failure *err)
{
	if (H5Dread(input->probabilities, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT,
		    probabilities) < 0)
		return damaged(input, "'probabilities' cannot be read to its end", err);
	return 0;
}

/* Reads the hyperslab that starts at `start` and is `count` long each way. */
static int read_hyperslab(
	hid_t dataset, hid_t type, const hsize_t start[3], const hsize_t count[3], void *values)
{
	hid_t in_file = H5Dget_space(dataset);
	hid_t in_memory = H5Screate_simple(3, count, NULL);
	int failed = H5Sselect_hyperslab(in_file, H5S_SELECT_SET, start, NULL, count, NULL) < 0 ||
		     H5Dread(dataset, type, in_memory, in_file, H5P_DEFAULT, values) < 0;

	H5Sclose(in_memory);
	H5Sclose(in_file);
	return failed ? -1 : 0;
}

int hdf5_input_read_chunk(const struct hdf5_input *input, const struct chunk *chunk,
	double *probabilities, struct failure *err)
{
	const hsize_t start[3] = {chunk->y, chunk->x, 0};
	const hsize_t count[3] = {chunk->height, chunk->width, CLASS_COUNT};

	if (read_hyperslab(input->probabilities, H5T_NATIVE_DOUBLE, start, count, probabilities))
		return damaged(input, "'probabilities' cannot be read to its end", err);
	return 0;
}

int hdf5_input_read_image_row(
	const struct hdf5_input *input, size_t y, uint8_t *rgb, struct failure *err)
{
	const hsize_t start[3] = {y, 0, 0};
	const hsize_t count[3] = {1, input->width, 3};

	if (read_hyperslab(input->image, H5T_NATIVE_UINT8, start, count, rgb))
		return damaged(input, "'image' cannot be read to its end", err);
	return 0;
}

double *hdf5_load_probabilities(
	const char *directory, size_t *height, size_t *width, struct failure *err)
{
	struct hdf5_input input;
	double *probabilities;

	if (hdf5_input_open(&input, directory, err))
		return NULL;
	*height = input.height;
	*width = input.width;
	probabilities = allocate(input.height * input.width * CLASS_COUNT, sizeof(*probabilities));
	if (hdf5_input_read(&input, probabilities, err)) {
		free(probabilities);
		probabilities = NULL;
	}
	hdf5_input_close(&input);
	return probabilities;
}

void hdf5_input_close(struct hdf5_input *input)
{
	if (input->image >= 0)
		H5Dclose(input->image);
	if (input->probabilities >= 0)
		H5Dclose(input->probabilities);
	if (input->file >= 0)
		H5Fclose(input->file);
	input->image = input->probabilities = input->file = -1;
}
