# 50,000 entries of one byte, each with 60,000 attributes that take none: three milliards.
	.text
	.globl	_start
_start:
	.skip	64, 0x90
	.section .debug_abbrev, "", @progbits
	.uleb128 1, 0x11	# 1: DW_TAG_compile_unit, with children
	.byte	1
	.uleb128 0x11, 0x01	# DW_AT_low_pc, DW_FORM_addr
	.uleb128 0x12, 0x0b	# DW_AT_high_pc, DW_FORM_data1
	.byte	0, 0
	.uleb128 2, 0x34	# 2: DW_TAG_variable
	.byte	0
	.rept	60000
	.uleb128 0x3f, 0x19	# DW_AT_external, DW_FORM_flag_present
	.endr
	.byte	0, 0, 0
	.section .debug_info, "", @progbits
	.long	end - begin
begin:
	.short	4
	.long	0
	.byte	8, 1
	.quad	_start
	.byte	64
	.fill	50000, 1, 2
	.byte	0
end:
