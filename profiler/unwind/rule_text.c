/* A rule as text, apart from the walk because it formats. */
#include "unwind/rows.h"

#include <stdarg.h>
#include <stdio.h>

struct text {
	char *at;
	size_t left;
};

static const char *const names[UNWIND_REGISTERS] = {"rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp",
	"rsp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "ra"};

static void add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct text *text, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(text->at, text->left, format, arguments);
	va_end(arguments);
	if (length < 0 || (size_t)length >= text->left)
		length = text->left ? (int)text->left - 1 : 0;
	text->at += length;
	text->left -= (size_t)length;
}

static void add_cfa(struct text *text, const struct unwind_rule *rule)
{
	const char *name = names[rule->cfa_register & 15];

	switch (rule->cfa) {
	case UNWIND_CFA_REGISTER:
		add(text, "cfa %s%+d", name, rule->cfa_offset);
		break;
	case UNWIND_CFA_DEREF:
		add(text, "cfa [%s%+d]", name, rule->cfa_offset);
		break;
	case UNWIND_CFA_PLT:
		add(text, "cfa plt(%d)", rule->cfa_offset);
		break;
	default:
		add(text, "cfa expression");
		break;
	}
}

static void add_saved(struct text *text, const struct unwind_saved *saved)
{
	add(text, ", %s ", names[saved->reg]);
	switch (saved->how) {
	case UNWIND_UNDEFINED:
		add(text, "undefined");
		break;
	case UNWIND_SAME:
		add(text, "same");
		break;
	case UNWIND_AT_CFA:
		add(text, "cfa%+d", saved->value);
		break;
	case UNWIND_CFA_PLUS:
		add(text, "=cfa%+d", saved->value);
		break;
	case UNWIND_IN_REGISTER:
		add(text, "%s", names[saved->value & 15]);
		break;
	case UNWIND_AT_EXPRESSION:
		add(text, "expression");
		break;
	default:
		add(text, "=expression");
		break;
	}
}

char *unwind_rule_text(const struct unwind_rule *rule, char *text, size_t size)
{
	struct text left = {text, size};

	if (rule->cfa == UNWIND_CFA_NONE) {
		add(&left, "no rule");
		return text;
	}
	add_cfa(&left, rule);
	for (uint32_t i = 0; i < rule->saved_count; i++)
		add_saved(&left, &rule->saved[i]);
	if (rule->flags & UNWIND_RULE_RA_AT_CFA_8)
		add(&left, ", ra cfa-8");
	if (rule->flags & UNWIND_RULE_OUTERMOST)
		add(&left, ", outermost");
	if (rule->flags & UNWIND_RULE_SIGNAL)
		add(&left, ", signal");
	return text;
}
