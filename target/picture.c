#include "picture.h"

#include "allocate.h"

#include <stdlib.h>

void picture_init(struct picture *picture, size_t height, size_t width)
{
	picture->height = height;
	picture->width = width;
	picture->rgb = allocate(height * width, 3);
}

void picture_release(struct picture *picture)
{
	free(picture->rgb);
	*picture = (struct picture){0};
}
