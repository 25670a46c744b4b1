// SPDX-License-Identifier: BSD-3-Clause
/*
 * What the compiler calls for __builtin_ctzl and __builtin_clzl: RV64GC has no instruction for them
 * (Zbb does), and there is no libgcc. x is not 0.
 */
int __ctzdi2(unsigned long x);
int __clzdi2(unsigned long x);

/* Zeroes below the lowest one: 63-bit De Bruijn, each of the 64 windows of it is another number. */
int __ctzdi2(unsigned long x)
{
	static const unsigned char places[64] = {
		0, 1, 2, 53, 3, 7, 54, 27, 4, 38, 41, 8, 34, 55, 48, 28,
		62, 5, 39, 46, 44, 42, 22, 9, 24, 35, 59, 56, 49, 18, 29, 11,
		63, 52, 6, 26, 37, 40, 33, 47, 61, 45, 43, 21, 23, 58, 17, 10,
		51, 25, 36, 32, 60, 20, 57, 16, 50, 31, 19, 15, 30, 14, 13, 12,
	};

	return places[((x & -x) * 0x022fdd63cc95386dul) >> 58];
}

int __clzdi2(unsigned long x)
{
	int n = 0;

	for (int width = 32; width; width /= 2) {
		if (x >> (64 - width))
			continue;
		n += width;
		x <<= width;
	}
	return n;
}
