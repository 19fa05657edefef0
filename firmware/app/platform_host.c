/* The harness on a computer, with the C library. */
#include "platform.h"

#include <stdio.h>

platform_file *platform_open(const char *name, platform_mode mode)
{
    return (platform_file *)fopen(name, mode == PLATFORM_READ ? "rb" : "wb");
}

size_t platform_read(platform_file *file, void *data, size_t size)
{
    return fread(data, 1, size, (FILE *)file);
}

size_t platform_write(platform_file *file, const void *data, size_t size)
{
    return fwrite(data, 1, size, (FILE *)file);
}

int platform_close(platform_file *file)
{
    return fclose((FILE *)file);
}

void platform_print(const char *text)
{
    fputs(text, stderr);
}

void platform_paint_stack(void)
{
}

size_t platform_stack_bytes(void)
{
    return 0;
}
