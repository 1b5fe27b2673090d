# 10,000 functions, each with the same list of 10,000 ranges: 100 million in some 200 KB.
	.text
	.globl	_start
_start:
	.skip	64, 0x90
	.section .debug_abbrev, "", @progbits
	.uleb128 1, 0x11	# 1: DW_TAG_compile_unit, with children
	.byte	1
	.uleb128 0x55, 0x17	# DW_AT_ranges, DW_FORM_sec_offset
	.byte	0, 0
	.uleb128 2, 0x2e	# 2: DW_TAG_subprogram
	.byte	0
	.uleb128 0x55, 0x17
	.byte	0, 0, 0
	.section .debug_info, "", @progbits
	.long	end - begin
begin:
	.short	4
	.long	0
	.byte	8, 1
	.long	0
	.rept	10000
	.byte	2
	.long	0
	.endr
	.byte	0
end:
	.section .debug_ranges, "", @progbits
	.rept	10000
	.quad	_start, _start + 16
	.endr
	.quad	0, 0
