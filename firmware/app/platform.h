/* What the harness needs from the machine it runs on: files, a console and the stack.
 *
 * platform_host.c does it with the C library, platform_semihosting.c with the semihosting calls
 * of an emulator or a debug probe. */
#ifndef TINYFLOW_APP_PLATFORM_H
#define TINYFLOW_APP_PLATFORM_H

#include <stddef.h>
#include <stdint.h>

/* A file in the working directory; NULL where it cannot be opened. */
typedef struct platform_file platform_file;

typedef enum { PLATFORM_READ, PLATFORM_WRITE } platform_mode;

platform_file *platform_open(const char *name, platform_mode mode);

/* The number of bytes that were read; less than `size` at the end of the file. */
size_t platform_read(platform_file *file, void *data, size_t size);

/* The number of bytes that were written; less than `size` on failure. */
size_t platform_write(platform_file *file, const void *data, size_t size);

/* 0 where everything that was written has been stored. */
int platform_close(platform_file *file);

void platform_print(const char *text);

/* Fills the free stack below the caller with a pattern. */
void platform_paint_stack(void);

/* Bytes from the top of the stack to the lowest one that was written since it was painted;
 * 0 where the machine cannot tell. */
size_t platform_stack_bytes(void);

#endif
