# Every kind of call frame instruction that a compiler or a person writes.
	.text
	.globl	usual
	.type	usual, @function
usual:
	.cfi_startproc
	push	%rbp
	.cfi_def_cfa_offset 16
	.cfi_offset 6, -16
	mov	%rsp, %rbp
	.cfi_def_cfa_register 6
	.cfi_remember_state
	pop	%rbp
	.cfi_def_cfa 7, 8
	.cfi_restore 6
	ret
	.cfi_restore_state
	nop
	.cfi_undefined 3
	nop
	.cfi_same_value 12
	nop
	.cfi_register 13, 14
	nop
	.cfi_val_offset 15, -24
	nop
	.cfi_endproc
	.size	usual, . - usual

	.globl	by_expression
	.type	by_expression, @function
by_expression:
	.cfi_startproc
	.cfi_escape 0x0f, 3, 0x76, 0x78, 0x06
	nop
	.cfi_escape 0x10, 6, 2, 0x76, 0
	nop
	.cfi_escape 0x16, 3, 6, 0x12, 0x32, 0x1e, 0x23, 8, 0x96
	nop
	.cfi_escape 0x0f, 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22
	nop
	.cfi_escape 0x2e, 16
	ret
	.cfi_endproc
	.size	by_expression, . - by_expression

	.globl	handler
	.type	handler, @function
handler:
	.cfi_startproc
	.cfi_signal_frame
	.cfi_def_cfa 7, 160
	.cfi_offset 16, 8
	mov	$15, %eax
	syscall
	.cfi_endproc
	.size	handler, . - handler

	.globl	_start
	.type	_start, @function
_start:
	.cfi_startproc
	.cfi_undefined 16
	call	usual
	hlt
	.cfi_endproc
	.size	_start, . - _start
	.section .note.GNU-stack, "", @progbits
