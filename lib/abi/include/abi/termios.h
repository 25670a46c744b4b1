// SPDX-License-Identifier: BSD-3-Clause
/*
 * Terminal settings, laid out and numbered as Linux's generic ones, which C libraries have, too.
 * Where there is a C library its <termios.h> and <sys/ioctl.h> are used, so that both can be
 * included in any order; else this page defines what a terminal here knows.
 */
#ifndef ABI_TERMIOS_H
#define ABI_TERMIOS_H

#include <abi/types.h>

#if __has_include(<termios.h>)

#include <sys/ioctl.h>
#include <termios.h>

#else

#define NCCS 32

typedef uint32_t tcflag_t;

struct termios {
	uint32_t c_iflag;
	uint32_t c_oflag;
	uint32_t c_cflag;
	uint32_t c_lflag;
	uint8_t c_line;
	uint8_t c_cc[NCCS]; /* 0 = none */
	uint32_t c_ispeed;
	uint32_t c_ospeed;
};

struct winsize {
	uint16_t ws_row;
	uint16_t ws_col;
	uint16_t ws_xpixel;
	uint16_t ws_ypixel;
};

/* c_cc */
#define VINTR 0
#define VQUIT 1
#define VERASE 2
#define VKILL 3
#define VEOF 4
#define VTIME 5
#define VMIN 6
#define VSTART 8
#define VSTOP 9
#define VSUSP 10
#define VEOL 11
#define VREPRINT 12
#define VWERASE 14
#define VLNEXT 15
#define VEOL2 16

/* c_iflag */
#define ISTRIP 0000040
#define INLCR 0000100
#define IGNCR 0000200
#define ICRNL 0000400
#define IXON 0002000
#define IXANY 0004000
#define IUTF8 0040000

/* c_oflag */
#define OPOST 0000001
#define ONLCR 0000004
#define OCRNL 0000010

/* c_cflag */
#define CS8 0000060
#define CREAD 0000200

/* c_lflag */
#define ISIG 0000001
#define ICANON 0000002
#define ECHO 0000010
#define ECHOE 0000020
#define ECHOK 0000040
#define ECHONL 0000100
#define NOFLSH 0000200
#define ECHOCTL 0001000
#define ECHOKE 0004000
#define IEXTEN 0100000

#define TCGETS 0x5401
#define TCSETS 0x5402
#define TCSETSW 0x5403
#define TCSETSF 0x5404
#define TCXONC 0x540a
#define TCFLSH 0x540b
#define TIOCOUTQ 0x5411
#define TIOCGWINSZ 0x5413
#define TIOCSWINSZ 0x5414
#define TIOCINQ 0x541b

/* TCFLSH, TCXONC */
#define TCIFLUSH 0
#define TCOFLUSH 1
#define TCIOFLUSH 2
#define TCOOFF 0
#define TCOON 1
#define TCIOFF 2
#define TCION 3

#endif

_Static_assert(sizeof(struct termios) == 60, "termios");
_Static_assert(offsetof(struct termios, c_lflag) == 12, "termios c_lflag");
_Static_assert(offsetof(struct termios, c_line) == 16, "termios c_line");
_Static_assert(offsetof(struct termios, c_cc) == 17, "termios c_cc");
_Static_assert(sizeof(((struct termios *)0)->c_cc) == 32, "termios c_cc");
_Static_assert(sizeof(struct winsize) == 8, "winsize");

#endif
