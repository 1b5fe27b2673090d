/*
 * dpkg: which installed Debian package a file belongs to, from /var/lib/dpkg/info/PACKAGE.list:
 * one path a line.
 */
#pragma once

/* The package's name without its architecture, caller frees; NULL: none, or not Debian. */
char *dpkg_package_of(const char *path);
