#include "jit_kernel.h"

#include "allocate.h"
#include "palette.h"

#include <libgccjit.h>
#include <stdlib.h>

/* What the function is called in a profile. */
#define KERNEL_NAME "colorcode_compiled"

struct jit_kernel {
	gcc_jit_result *code;
	jit_colorcode *colorcode;
};

/* The kernel while it is built. */
struct builder {
	gcc_jit_context *context;
	gcc_jit_type *byte, *real, *size;
	gcc_jit_param *probabilities, *pixels, *rgb;
	gcc_jit_function *function;
	gcc_jit_lvalue *pixel;	    /* number of the current pixel */
	gcc_jit_lvalue *highest;    /* its highest probability so far */
	gcc_jit_lvalue *channel[3]; /* the colour of that class */
};

static gcc_jit_rvalue *size_constant(const struct builder *build, long value)
{
	return gcc_jit_context_new_rvalue_from_long(build->context, build->size, value);
}

/* array[pixel * stride + offset] */
static gcc_jit_lvalue *element(
	const struct builder *build, gcc_jit_param *array, long stride, long offset)
{
	gcc_jit_rvalue *first = gcc_jit_context_new_binary_op(build->context, NULL,
		GCC_JIT_BINARY_OP_MULT, build->size, gcc_jit_lvalue_as_rvalue(build->pixel),
		size_constant(build, stride));
	gcc_jit_rvalue *index = gcc_jit_context_new_binary_op(build->context, NULL,
		GCC_JIT_BINARY_OP_PLUS, build->size, first, size_constant(build, offset));

	return gcc_jit_context_new_array_access(
		build->context, NULL, gcc_jit_param_as_rvalue(array), index);
}

static gcc_jit_rvalue *probability(const struct builder *build, unsigned class)
{
	return gcc_jit_lvalue_as_rvalue(element(build, build->probabilities, CLASS_COUNT, class));
}

/* void colorcode_compiled(const double *probabilities, size_t pixels, unsigned char *rgb) */
static void declare_function(struct builder *build)
{
	gcc_jit_context *context = build->context;
	gcc_jit_type *nothing = gcc_jit_context_get_type(context, GCC_JIT_TYPE_VOID);

	build->byte = gcc_jit_context_get_type(context, GCC_JIT_TYPE_UNSIGNED_CHAR);
	build->real = gcc_jit_context_get_type(context, GCC_JIT_TYPE_DOUBLE);
	build->size = gcc_jit_context_get_type(context, GCC_JIT_TYPE_SIZE_T);
	build->probabilities = gcc_jit_context_new_param(context, NULL,
		gcc_jit_type_get_pointer(gcc_jit_type_get_const(build->real)), "probabilities");
	build->pixels = gcc_jit_context_new_param(context, NULL, build->size, "pixels");
	build->rgb = gcc_jit_context_new_param(
		context, NULL, gcc_jit_type_get_pointer(build->byte), "rgb");

	gcc_jit_param *params[] = {build->probabilities, build->pixels, build->rgb};

	build->function = gcc_jit_context_new_function(
		context, NULL, GCC_JIT_FUNCTION_EXPORTED, nothing, KERNEL_NAME, 3, params, 0);
}

static void declare_locals(struct builder *build)
{
	static const char *const names[3] = {"red", "green", "blue"};

	build->pixel = gcc_jit_function_new_local(build->function, NULL, build->size, "pixel");
	build->highest = gcc_jit_function_new_local(build->function, NULL, build->real, "highest");
	for (unsigned i = 0; i < 3; i++)
		build->channel[i] =
			gcc_jit_function_new_local(build->function, NULL, build->byte, names[i]);
}

/* highest = probabilities[class], red, green, blue = its colour */
static void add_choice(const struct builder *build, gcc_jit_block *block, unsigned class)
{
	gcc_jit_block_add_assignment(block, NULL, build->highest, probability(build, class));
	for (unsigned i = 0; i < 3; i++)
		gcc_jit_block_add_assignment(block, NULL, build->channel[i],
			gcc_jit_context_new_rvalue_from_int(
				build->context, build->byte, class_colours[class][i]));
}

/* if (probabilities[class] > highest) choose that class; returns the block after it. */
static gcc_jit_block *add_comparison(
	const struct builder *build, gcc_jit_block *block, unsigned class)
{
	gcc_jit_block *chosen = gcc_jit_function_new_block(build->function, NULL);
	gcc_jit_block *next = gcc_jit_function_new_block(build->function, NULL);
	gcc_jit_rvalue *is_higher =
		gcc_jit_context_new_comparison(build->context, NULL, GCC_JIT_COMPARISON_GT,
			probability(build, class), gcc_jit_lvalue_as_rvalue(build->highest));

	gcc_jit_block_end_with_conditional(block, NULL, is_higher, chosen, next);
	add_choice(build, chosen, class);
	gcc_jit_block_end_with_jump(chosen, NULL, next);
	return next;
}

/* rgb[channel] = (unsigned char)(255 * highest) & the channel's colour, which is 0 or 255 */
static void add_output(const struct builder *build, gcc_jit_block *block)
{
	gcc_jit_context *context = build->context;
	gcc_jit_rvalue *scaled = gcc_jit_context_new_binary_op(context, NULL,
		GCC_JIT_BINARY_OP_MULT, build->real, gcc_jit_lvalue_as_rvalue(build->highest),
		gcc_jit_context_new_rvalue_from_double(context, build->real, 255));
	/* By way of int: there is no machine instruction from double to a byte. */
	gcc_jit_rvalue *level = gcc_jit_context_new_cast(context, NULL,
		gcc_jit_context_new_cast(
			context, NULL, scaled, gcc_jit_context_get_type(context, GCC_JIT_TYPE_INT)),
		build->byte);

	for (unsigned i = 0; i < 3; i++)
		gcc_jit_block_add_assignment(block, NULL, element(build, build->rgb, 3, i),
			gcc_jit_context_new_binary_op(context, NULL, GCC_JIT_BINARY_OP_BITWISE_AND,
				build->byte, level, gcc_jit_lvalue_as_rvalue(build->channel[i])));
}

/* for (pixel = 0; pixel < pixels; pixel++) ... */
static void add_loop(const struct builder *build)
{
	gcc_jit_block *start = gcc_jit_function_new_block(build->function, "start");
	gcc_jit_block *test = gcc_jit_function_new_block(build->function, "test");
	gcc_jit_block *body = gcc_jit_function_new_block(build->function, "body");
	gcc_jit_block *end = gcc_jit_function_new_block(build->function, "end");
	gcc_jit_rvalue *is_inside = gcc_jit_context_new_comparison(build->context, NULL,
		GCC_JIT_COMPARISON_LT, gcc_jit_lvalue_as_rvalue(build->pixel),
		gcc_jit_param_as_rvalue(build->pixels));

	gcc_jit_block_add_assignment(start, NULL, build->pixel, size_constant(build, 0));
	gcc_jit_block_end_with_jump(start, NULL, test);
	gcc_jit_block_end_with_conditional(test, NULL, is_inside, body, end);
	add_choice(build, body, 0);
	for (unsigned class = 1; class < CLASS_COUNT; class ++)
		body = add_comparison(build, body, class);
	add_output(build, body);
	gcc_jit_block_add_assignment_op(
		body, NULL, build->pixel, GCC_JIT_BINARY_OP_PLUS, size_constant(build, 1));
	gcc_jit_block_end_with_jump(body, NULL, test);
	gcc_jit_block_end_with_void_return(end, NULL);
}

/* The instructions of the processor at hand ("native" only exists in gcc's driver), or NULL. */
static const char *processor_option(void)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("x86-64-v3"))
		return "-march=x86-64-v3";
	if (__builtin_cpu_supports("x86-64-v2"))
		return "-march=x86-64-v2";
#endif
	return NULL;
}

static gcc_jit_context *new_context(void)
{
	gcc_jit_context *context = gcc_jit_context_acquire();

	if (!context)
		return NULL;
	gcc_jit_context_set_int_option(context, GCC_JIT_INT_OPTION_OPTIMIZATION_LEVEL, 3);
	if (processor_option())
		gcc_jit_context_add_command_line_option(context, processor_option());
	return context;
}

struct jit_kernel *jit_kernel_compile(struct failure *err)
{
	struct builder build = {.context = new_context()};
	struct jit_kernel *kernel = allocate_zeroed(1, sizeof(*kernel));

	if (build.context) {
		declare_function(&build);
		declare_locals(&build);
		add_loop(&build);
		kernel->code = gcc_jit_context_compile(build.context);
	}
	if (kernel->code)
		kernel->colorcode =
			(jit_colorcode *)gcc_jit_result_get_code(kernel->code, KERNEL_NAME);
	if (!kernel->colorcode) {
		const char *why = build.context ? gcc_jit_context_get_last_error(build.context)
						: "it has no memory";

		fail(err,
			"libgccjit cannot compile v5's kernel (%s); it needs `as` and `ld` of the "
			"package binutils and room in TMPDIR; v6 does without",
			why ? why : "no reason given");
		jit_kernel_free(kernel);
		kernel = NULL;
	}
	if (build.context)
		gcc_jit_context_release(build.context);
	return kernel;
}

jit_colorcode *jit_kernel_code(const struct jit_kernel *kernel)
{
	return kernel->colorcode;
}

void jit_kernel_free(struct jit_kernel *kernel)
{
	if (!kernel)
		return;
	if (kernel->code)
		gcc_jit_result_release(kernel->code);
	free(kernel);
}
