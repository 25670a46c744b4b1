// SPDX-License-Identifier: BSD-3-Clause
/*
 * What the parts of libtwix share. libtwix does for a C library what Linux would do in its system
 * calls, in the same address space, on objects. A call gets its six arguments as they came, and
 * returns what Linux does: a value, or a negative errno.
 */
#ifndef TWIX_H
#define TWIX_H

#include <stdbool.h>
#include <abi/program.h>
#include <stddef.h>
#include <signal.h>
#include <stdint.h>
#include <signal.h>
#include <sys/types.h>
#include <twz/mutex.h>
#include <twz/obj.h>
#include <twz/obj/event.h>
#include <twz/sys/slots.h>
#include <twz/sys/thread.h>

typedef long twix_call(const long a[6]);

#define TWIX_PAGE 4096ul
#define ROUND_UP(n, to) (((n) + (to) - 1) & ~((to) - 1))

/* Where this program stands. */
extern const struct twz_program __twz_program;
extern char __data_end[];
#define TWIX_TEXT_SLOT VADDR_TO_SLOT(&__twz_program)
#define TWIX_DATA_SLOT VADDR_TO_SLOT(__data_end)

/* --- dispatch.c: what the C library calls. n is a number of asm-generic/unistd.h */
long __twix_syscall(long n, long a, long b, long c, long d, long e, long f);
/* Whether the call may be made again after a signal, as its handler says. */
bool twix_restarts(long n, const long a[6]);

/* --- pointer.c: memory that a program points to */
/* How an argument does, in a table: one of these, a number of bytes or that of the argument that says it. */
#define TWIX_PTR_KIND 0xc000u
#define TWIX_PTR_STRING 0x4000u
#define TWIX_PTR_IN 0x8000u
#define TWIX_PTR_OUT 0xc000u
#define TWIX_PTR_MAY_BE_NULL 0x2000u
#define TWIX_PTR_COUNTED 0x1000u /* the value is the number of an argument */
#define TWIX_PTR_AT_ONCE 0x0800u /* Linux does not wait until it has a result */
#define TWIX_PTR_VALUE 0x07ffu
/* Those of a call's six arguments, 0: no pointer, or one that the call looks at itself. arguments.c */
const uint16_t *twix_arguments(long n);
/* Whether all of n bytes can be read, or written; nothing is changed. */
bool twix_can_read(const void *p, size_t n);
bool twix_can_write(void *p, size_t n);
bool twix_can_read_string(const char *s);
/* How many of n bytes, from the first on, can be. */
size_t twix_readable(const void *p, size_t n);
size_t twix_writable(void *p, size_t n);
/* A bit for each argument that leads nowhere; and the call made with such ones. */
unsigned twix_bad_pointers(const uint16_t kinds[6], const long args[6]);
long twix_call_with_bad(twix_call *call, const uint16_t kinds[6], const long args[6], unsigned bad);
/* A fault was one of trying: the frame is to go on with that answer. */
struct twz_fault_frame;
bool twix_probe_failed(struct twz_fault_frame *f);

/* --- trace.c */
extern bool twix_tracing;
void twix_trace_init(void);
void twix_trace_begin(long n, const long a[6]);
void twix_trace_end(long n, const long a[6], long r);

/*
 * --- hold.c: the locks that stand in this program's data, in the order in which a thread takes
 * several; libtwz's come before the last
 */
enum twix_own_lock {
	TWIX_LOCK_FORK, /* between those who fork */
	TWIX_LOCK_THREADS,
	TWIX_LOCK_TIMERS,
	TWIX_LOCK_HANDLES,
	TWIX_LOCK_MEMORY,
	TWIX_LOCK_ACTIONS,
	TWIX_OWN_LOCKS,
};
extern struct mutex twix_own_locks[TWIX_OWN_LOCKS];
/* All but the first, if there are other threads: by who has the first. */
void twix_hold(void);
void twix_let_go(void);
/* In the child. */
void twix_hold_in_copy(void);

/* --- memory.c */
twix_call twix_brk, twix_mmap, twix_munmap, twix_mprotect;
/* remap.c */
twix_call twix_mremap, twix_madvise, twix_msync, twix_mincore, twix_mlock, twix_mlock2, twix_mlockall, twix_munlockall;
/* Zeroed anonymous memory; NULL if there is none. Given back with munmap. */
void *twix_pages(size_t bytes);
/* How many of n bytes from there on the program has, n more than 0, as far as that is known without trying. */
size_t twix_memory_extent(uintptr_t at, size_t n);

/* The view of this program. */
objid_t twix_view_id(void);
/* A volatile copy of src, of zeroes if that is 0, which lives as long as parent. */
int twix_child_object(objid_t parent, objid_t src, objid_t *id);
/* To fork, its lock held: copy all that is private to a view; in the child. */
int twix_memory_copy(objid_t view, twzobj *to);
void twix_memory_after_fork(void);

struct twix_process;

/* --- process.c, fork.c, exec.c, wait.c */
twix_call twix_getpid, twix_getppid, twix_getpgid, twix_setpgid, twix_getsid, twix_setsid;
twix_call twix_execve, twix_wait4, twix_waitid, twix_exit_group;
long twix_fork(void);
/* The same, the child being this process, as which the calling thread acts: see vfork.c. */
long twix_fork_for(struct twix_process *child);
/* What a process has from its parent, this one, and which thread is its first. */
void twix_process_inherit(struct twix_process *p, objid_t thread);
/* A change of its state, as wait4() tells it. */
void twix_process_report(struct twix_process *p, int status);
/* This thread ends, and the program with it: its process has ended already. */
_Noreturn void twix_leave(int status);
/* The process has ended: what it had is given back, and its parent is told. */
void twix_process_end(struct twix_process *p, int status);

/* --- vfork.c */
/* Whether this thread acts as the child of a vfork(). */
bool twix_vfork_is_on(void);
/*
 * Begin to. The parent goes on at what the caller saves (__twz_try_save()) where the result points,
 * with the child's number. NULL: it is to be a copy.
 */
uint64_t *__twix_vfork_begin(void);
/* The child has another program, or has ended; the caller is in a call. */
_Noreturn void twix_vfork_return(void);
/* If it is on: the child goes on in a copy, in which this returns. 0, or an error: it still is on. */
int twix_vfork_settle(void);
/* The child calls fn; its number, or -1: it is to be a copy. */
int twix_vfork_call(int (*fn)(void *), void *arg);

/* --- elf.c: ELF files, which may be anything */
#define TWIX_EXEC_FATAL 1 /* where Linux has given up the old program before it refuses the new one */
#define TWIX_ELF_LOADS 64

struct twix_load {
	uint64_t address, memory, offset, bytes; /* bytes of the file, which has them all, are at offset */
	uint32_t flags; /* PF_* */
};

struct twix_elf {
	const char *file; /* its first byte, which the object's base is */
	uint64_t size;    /* of the file */
	uint64_t entry;
	uint64_t header, header_count; /* the program headers: address in memory, or 0; how many */
	uint16_t type;    /* ET_* */
	unsigned loads;
	struct twix_load load[TWIX_ELF_LOADS];
	uint64_t tls[4]; /* address, bytes in the file, in memory, alignment; 0: none */
	char interpreter[256]; /* "": none */
};

/* 0, TWIX_EXEC_FATAL, or -ENOEXEC. Nothing of the file is believed later that was not copied here. */
int twix_elf_read(struct twix_elf *e, const char *file, uint64_t size);
/* The load that has these bytes, all of them from the file, or NULL. */
const struct twix_load *twix_elf_find(const struct twix_elf *e, uint64_t address, uint64_t bytes);

/* --- image.c: what is run of a file */
/*
 * The object to be run (volatile, tied to this view) of a file with these bytes that is a program for
 * libtwz: an ELF file that was linked as one, or, without e, a copy of a program object. -ENOEXEC: it
 * is none; TWIX_EXEC_FATAL; or an error.
 */
int twix_image_make(objid_t file, const char *base, uint64_t size, const struct twix_elf *e, objid_t *text);
/* Whether this program is run of such an object, which goes with the last view that it is tied to. */
bool twix_image_is_made(void);

/*
 * The memory of one that was linked for Linux, alike: all of it in one object, for TWIX_LINUX_SLOT,
 * with what the program of libtwix that stands by it has to know at TWIX_LINUX_AT.
 */
#define TWIX_LINUX_SLOT 0u
#define TWIX_LINUX_AT (SLOT_TO_VADDR(TWIX_LINUX_SLOT) + OBJ_TOPDATA - TWIX_PAGE)
#define TWIX_LINUX_MAGIC 0x58554e494c584957ull
#define TWIX_HOST_SLOT 14u /* where that other program stands */
#define TWIX_HOST_PATH "/bin/linux"

struct twix_linux {
	uint64_t magic;
	uint64_t entry;
	uint64_t header, header_count; /* program headers in memory, or 0 */
	uint64_t memory_end; /* the program's break begins here */
};

int twix_image_make_linux(objid_t file, const struct twix_elf *e, objid_t *memory);

/* --- linux.c: the program that stands by one that was linked for Linux */
const struct twix_linux *twix_linux_program(void); /* NULL: this is none */
/* Run what stands in the slot, with the arguments from the second on. Returns if there is none. */
int twix_linux_run(int argc, char **argv);
struct twz_fault_frame;
/* Whether it was interrupted, and may be made again: its first argument is the thread's `again` then. */
bool twix_linux_call(struct twz_fault_frame *f, long n);
/* arch/ */
_Noreturn void __twix_enter(uintptr_t pc, void *sp);
void __twix_call_in(void *fn, int sig, siginfo_t *info, void *context, const struct twz_fault_frame *f);
void twix_frame_own(struct twz_fault_frame *f); /* so that a function of this program runs with it */
void twix_frame_repeat(struct twz_fault_frame *f, long argument); /* so that it makes the call again */
extern const bool twix_linux_restorer;          /* whether Linux's struct sigaction has one here */

/* --- script.c */
#define TWIX_SCRIPT_LINE 256
/* Of "#! interpreter argument": 0 and the two, *argument NULL if there is none; or -ENOEXEC. */
int twix_script_read(char line[TWIX_SCRIPT_LINE], char **interpreter, char **argument);

/* --- queue.c: signals on their way */
#define TWIX_SIGNALS 64
#define SIG_BIT(sig) (1ull << ((sig) - 1))
#define SIGS_STOPPING (SIG_BIT(SIGSTOP) | SIG_BIT(SIGTSTP) | SIG_BIT(SIGTTIN) | SIG_BIT(SIGTTOU))
#define SIGS_IGNORED (SIG_BIT(SIGCHLD) | SIG_BIT(SIGURG) | SIG_BIT(SIGWINCH) | SIG_BIT(SIGCONT))
#define SIGS_FAULTS \
	(SIG_BIT(SIGSEGV) | SIG_BIT(SIGBUS) | SIG_BIT(SIGILL) | SIG_BIT(SIGTRAP) | SIG_BIT(SIGFPE))
#define SIGS_NEVER_BLOCKED (SIG_BIT(SIGKILL) | SIG_BIT(SIGSTOP))

/* One that is on its way, with what a handler is told. */
struct twix_signal {
	int32_t sig, code;
	int32_t tid; /* for this thread only; 0: for any */
	int32_t a, b; /* who sent it, and for which user; of a timer: its number, and what was missed */
	uint32_t unused;
	uint64_t value;
};

#define TWIX_QUEUED 128
struct twix_queue {
	struct mutex lock; /* guards all, and the process's pending */
	uint32_t n, unused;
	struct twix_signal all[TWIX_QUEUED]; /* as they came */
};
struct twix_queue *twix_queue(const struct twix_process *p); /* shared.c */

struct twix_thread;
/* To a process, or to a thread of this one. -EAGAIN: the queue is full, and s must not be lost. */
int twix_signal_post(struct twix_process *p, struct twix_thread *t, const struct twix_signal *s);
/* A child's end: who takes the signal finds it ended, and who finds it ended has the signal. */
void twix_signal_child(struct twix_process *p, struct twix_process *child, uint32_t state, const struct twix_signal *s);
/* Take one of those in set for this thread; 0: there is none; negative: it stopped the process. */
int twix_signal_take(uint64_t set, struct twix_signal *s);
/* The same, but leave it for this thread only. */
int twix_signal_claim(uint64_t set);
void twix_signal_discard(int sig);

/* --- signal.c: sending, and the calls */
void twix_signal_send(struct twix_process *p, int sig);
void twix_signal_tell(struct twix_process *p, const struct twix_signal *s);
/* To those that kill() means by pid; how many there are. */
int twix_signal_group(int pid, int sig);
long twix_signal_thread(int sig);
/* Whether it would do nothing to this thread: blocked or ignored. */
bool twix_signal_is_ignored(int sig);
/* Block others until the end of the call, handlers for them run then. NULL: the same. */
void twix_signal_mask(const uint64_t *mask);
void twix_signals_hand_over(void); /* before another program runs in this process */
twix_call twix_rt_sigtimedwait, twix_rt_sigaction, twix_rt_sigprocmask, twix_rt_sigpending, twix_rt_sigsuspend;
twix_call twix_kill, twix_tkill, twix_tgkill, twix_sigaltstack, twix_rt_sigqueueinfo, twix_rt_tgsigqueueinfo;

/* --- action.c: what is done with them */

/* As the C library hands it over. */
struct twix_action {
	void (*handler)(int);
	unsigned long flags;
	void (*restorer)(void);
	uint64_t mask;
};

static inline bool twix_is_handler(const struct twix_action *a)
{
	return a->handler != SIG_DFL && a->handler != SIG_IGN;
}

struct twix_action twix_action(int sig, const struct twix_action *new); /* NULL: as it is */
struct twix_action twix_use_action(int sig); /* for a handler that is about to run */
void twix_actions_init(void);
/* Around what a child of vfork() does. */
void twix_actions_keep(void);
void twix_actions_restore(void);

/* --- deliver.c: taking signals */
void twix_signals_init(void);
void twix_signals_after_fork(void);
/*
 * Around every call. interrupted: it ends with -EINTR. What leave returns: whether an interrupted
 * call may be made again.
 */
void twix_signal_enter(void);
bool twix_signal_leave(bool interrupted);
/* f is what a thread begins with, whose depth is 1: its signals come first. */
struct twz_fault_frame;
void twix_signal_begin(struct twz_fault_frame *f);
/* Whether this thread's call must end because of a signal, or its program. Stops while that is due. */
bool twix_interrupted(void);
void twix_signal_info(const struct twix_signal *s, siginfo_t *info);
/* Block these from now on. */
void twix_block(uint64_t mask);
/* Let a thread of this program look that does not block what is there. */
void twix_signal_forward(void);

/* --- sleep.c */
struct sys_thread_sync_args;
void twix_sleep_init(void);
/*
 * Sleep until one of the words changes, or until then by the monotonic clock, NULL: never. ops has
 * room for one more. -EINTR: a handler is to run; a signal that comes at any time before, and is not
 * blocked, is seen. The caller holds no lock. Every call that can be interrupted sleeps here.
 */
long twix_sleep(size_t n, struct sys_thread_sync_args *ops, struct timespec *until);
/* The same for one word, UINT64_MAX: never. -ETIMEDOUT, -EAGAIN: it was not value; 0. */
long twix_sleep_on(uint64_t *word, uint64_t value, uint64_t until);

/* --- job.c: the states of a whole process */
#define TWIX_STOPPED 1ull
#define TWIX_ENDING 2ull /* the status is in the upper half */
#define TWIX_ALONE 4ull  /* all threads but one go, whose number is in the upper half */
bool twix_job_alone(void);
/* Begin to end it; the first who says how is right. */
void twix_job_end(struct twix_process *p, int status);
bool twix_job_stop(struct twix_process *p);
bool twix_job_continue(struct twix_process *p);
/* Wait while the process is stopped. Whether this thread is to go, when it leaves its call. */
bool twix_job_wait(void);
/* Do what this process's state asks of this thread. */
void twix_job_look(void);
_Noreturn void twix_job_leave(void);

/* --- timer.c */
void twix_timers_init(void);
/* What a timer sent is taken, after it was due so often more; how often that is by now. */
int twix_timer_taken(int id, int overrun);
void twix_timers_hand_over(void); /* before another program runs in this process */
void twix_timers_after_fork(void);
twix_call twix_setitimer, twix_getitimer, twix_timer_create, twix_timer_settime, twix_timer_gettime;
twix_call twix_timer_getoverrun, twix_timer_delete;

/* --- terminal.c, ptmx.c, console.c */
struct twix_file;
#define TWIX_SETTINGS_SIZE 36u /* of a termios, as TCGETS has it: the C library's has more behind it */

/* Stands in the shared object. */
struct twix_terminal {
	objid_t server, client;      /* client 0: there is none */
	int32_t session, foreground; /* atomic; groups */
	uint32_t programs;           /* open files of the client's side; guarded by the terminals' lock */
	uint32_t state;              /* ptmx.c; guarded so, too */
	uint64_t showing;            /* atomic: of the console: odd while output is on its way there */
};
#define TWIX_TERMINALS 64
struct twix_terminals {
	struct mutex lock;
	struct twix_terminal all[TWIX_TERMINALS]; /* the first is the console's */
};
struct twix_terminals *twix_terminals(void); /* shared.c */

static inline struct twix_terminal *twix_terminal_number(unsigned n)
{
	return n < TWIX_TERMINALS ? &twix_terminals()->all[n] : NULL;
}

static inline struct twix_terminal *twix_terminal(void)
{
	return twix_terminal_number(0);
}

/* A new open file of what is called so in /dev: tty, console, ptmx, pts/N. NULL: *error, -ENOENT if
 * nothing is. */
struct twix_file *twix_terminal_open(const char *name, unsigned flags, int *error);
/* The first N of a /dev/pts/N, from `from` on; TWIX_TERMINALS: there is none. */
unsigned twix_terminal_next(unsigned from);
/* The terminal of this program's session; NULL: it has none. */
struct twix_terminal *twix_terminal_own(void);
/* It is that from now on, if it can be; the leader of a session has ended. */
void twix_terminal_take(struct twix_terminal *t);
struct twix_process;
void twix_terminal_leader_ended(const struct twix_process *p);
/* The two sides of a terminal that has none yet; one of them is not open any more. */
int twix_terminal_init(struct twix_terminal *t, twzobj *server, twzobj *client);
void twix_terminal_closed(struct twix_file *f);
/* A request that both sides know, by the pty's function of one of them. */
long twix_terminal_control(struct twix_terminal *t, int (*ioctl)(twzobj *, int, long), twzobj *o,
    unsigned long request, void *arg);
/* Something was typed at the server's side: the signals among it are sent. */
void twix_terminal_typed(struct twix_terminal *t, twzobj *server);
/* In the first program: between the first terminal and the console. */
int twix_terminal_make(void);
void twix_terminal_end(void);
#define TWIX_TIOCASK 0x547a /* no request of Linux: find out how large the console's window is */
long twix_console_ask(const struct twix_terminal *t);
/* Until the console has shown all that was written to this side of t. -EINTR. */
long twix_console_drain(struct twix_terminal *t, twzobj *side);

/* --- poll.c */
#define TWIX_POLL_MOST 1023 /* events to wait for at once */
struct twix_file;
/* Which of the poll events of f are there; what to wait for if none is goes to evs, where *n are. */
short twix_poll_look(struct twix_file *f, short events, struct event *evs, size_t *n);
/* Until an event comes, or then by the monotonic clock; UINT64_MAX: never. -EINTR. */
int twix_poll_sleep(struct event *evs, size_t n, uint64_t until);
/* Something was done with a file; an event that is set by the next time; so many more wait for it. */
void twix_activity(void);
void twix_activity_event(struct event *ev);
void twix_crowd(int by);
twix_call twix_ppoll, twix_pselect6;

/* --- eventfd.c, epoll.c */
extern const struct twix_ops twix_eventfd_ops, twix_epoll_ops;
twix_call twix_eventfd2, twix_epoll_create1, twix_epoll_ctl, twix_epoll_pwait;

/* --- pipe.c */
#define TWIX_PIPE_SIZE 65536
#define TWIX_PIPE_BITS 17u /* of its stream's size */
/* A stream with so much room takes 4096 bytes in one piece, and holds no more than a pipe does. */
#define TWIX_PIPE_ROOM (4096ul + (1ul << TWIX_PIPE_BITS) - 1 - TWIX_PIPE_SIZE)
extern const struct twix_ops twix_pipe_read_ops, twix_pipe_write_ops;
ssize_t twix_pipe_read(struct twix_file *f, void *buf, size_t n);
ssize_t twix_pipe_write(struct twix_file *f, const void *buf, size_t n);
long twix_pipe_ioctl(struct twix_file *f, unsigned long request, void *arg);
twix_call twix_pipe2;

/* --- fifo.c */
extern const struct twix_ops twix_fifo_ops;
/* Of an object that is one: f becomes it. It may wait for somebody who opens the other side. -ENXIO, -EINTR, … */
int twix_fifo_open(struct twix_file *f);

/* --- timerfd.c, signalfd.c */
extern const struct twix_ops twix_timerfd_ops, twix_signalfd_ops;
twix_call twix_timerfd_create, twix_timerfd_settime, twix_timerfd_gettime, twix_signalfd4;

/* --- socket.c, message.c */
extern const struct twix_ops twix_socket_ops;
twix_call twix_socket, twix_socketpair, twix_sendto, twix_recvfrom, twix_sendmsg, twix_recvmsg, twix_shutdown;
twix_call twix_getsockopt, twix_setsockopt, twix_getsockname, twix_getpeername, twix_bind, twix_listen;
twix_call twix_accept, twix_connect;

/* --- arch/: registers */
struct twz_fault_frame;
struct __ucontext;
void twix_context_save(struct __ucontext *u, const struct twz_fault_frame *f);
void twix_context_load(struct twz_fault_frame *f, const struct __ucontext *u);
uintptr_t twix_context_pc(const struct __ucontext *u);
void twix_context_call(struct __ucontext *u, uintptr_t pc, uintptr_t sp);
/* Call fn(arg) on another stack. */
void __twix_on_stack(void (*fn)(void *), void *arg, void *top);

/* --- thread.c */
enum twix_thread_state { TWIX_UNUSED, TWIX_BEGINNING, TWIX_LIVE, TWIX_GONE };

/* A thread that the program knows. The first is that of the process; the lock guards who has a place. */
struct twix_thread {
	struct thread thread; /* of the first: only its number */
	uint32_t state;       /* atomic: enum twix_thread_state */
	int32_t tid;
	uint64_t blocked; /* atomic: of its own, others look at it */
	uint64_t pending; /* atomic: for this thread only; the queue's lock guards what is set */
	uint64_t kept;    /* what was blocked before the call, if restore */
	bool restore;
	unsigned depth; /* of calls */
	struct twz_fault_frame *leaving; /* what a handler of a fault is about to leave with, or did */
	long again;     /* the first argument of a call that may be made again */
	stack_t stack;  /* for handlers */
	void *fault_stack; /* where the kernel puts registers: not on the stack that they go on with; kept */
	int (*fn)(void *);
	void *arg;
	int *clear_tid;
	struct sys_thread_sync_args last_wake; /* of who waits for clear_tid */
	struct twix_robust *robust; /* mutexes it holds; or NULL */
	long unmap[6]; /* the stack to give back when the thread has ended */
	char name[16]; /* "": that of the process; of the first see struct twix_about */
};

/* This one; NULL: it is not the program's, and knows nothing of signals. */
extern __thread struct twix_thread *twix_me;
struct twix_thread *twix_thread_number(unsigned n); /* NULL: n is too large */
struct twix_thread *twix_thread_of(int tid);
/* Each but this one is to look. */
void twix_threads_disturb(void);
void twix_threads_init(void);
/* Whether it is the first, and there is no other, nor one for timers. */
bool twix_thread_is_alone(void);
int __twix_clone(int (*fn)(void *), void *stack, int flags, void *arg, int *parent_tid, void *tls,
    int *clear_tid);
/* Pages to be given back when this thread has ended. */
void twix_thread_keep(void *stacks, size_t size);
/* All other threads of this program end. */
void twix_end_other_threads(void);
/* Only this thread ends. Its stack stays. */
_Noreturn void twix_thread_vanish(void);
void twix_threads_after_fork(void);
twix_call twix_exit, twix_set_tid_address, twix_gettid, twix_futex, twix_clone;

/* --- robust.c: what this thread holds is given up, for it ends */
struct twix_robust;
void twix_robust_release(void);
twix_call twix_set_robust_list, twix_get_robust_list;

/* --- time.c */
#define TWIX_NS 1000000000ull /* of a second */
struct timespec twix_time_of(uint64_t ns);
bool twix_is_duration(const struct timespec *ts);
/* When a time from now on is over, of the monotonic clock; UINT64_MAX: never, also for NULL. -EINVAL. */
int twix_until(const struct timespec *ts, uint64_t *until);
twix_call twix_clock_gettime, twix_clock_getres, twix_nanosleep, twix_clock_nanosleep, twix_gettimeofday;

/* --- usage.c: CPU time, in nanoseconds */
struct rusage;
/* What this process has used until now, with the programs that ran in it before. */
uint64_t twix_cpu_used(void);
void twix_usage_hand_over(void); /* before another program runs in this process */
void twix_usage_take_back(void); /* there was none after all */
void twix_tell_usage(struct rusage *u, uint64_t cpu);
twix_call twix_times, twix_getrusage;

/* --- users.c: for whom a process acts */
#define TWIX_GROUPS 32
struct twix_numbers {
	uint32_t real, effective, saved;
};
struct twix_users {
	struct twix_numbers user, group;
	uint32_t count; /* of groups */
	uint32_t groups[TWIX_GROUPS];
};
struct twix_users *twix_users(void); /* of this process */
bool twix_is_root(void);
bool twix_in_group(uint32_t group);
struct stat;
/* Whether it may read, write, execute (R_OK, …) a file, for its effective or its real user and groups. */
bool twix_may(const struct stat *st, int want, bool real);
bool twix_may_signal(const struct twix_process *p, int sig);
twix_call twix_setuid, twix_setgid, twix_setreuid, twix_setregid, twix_setresuid, twix_setresgid;
twix_call twix_getresuid, twix_getresgid, twix_getuid, twix_geteuid, twix_getgid, twix_getegid;
twix_call twix_setfsuid, twix_setfsgid, twix_getgroups, twix_setgroups;

/* --- schedule.c, prctl.c */
twix_call twix_getpriority, twix_setpriority, twix_sched_yield, twix_sched_getaffinity, twix_sched_setaffinity;
twix_call twix_sched_getscheduler, twix_sched_setscheduler, twix_sched_getparam, twix_sched_setparam;
twix_call twix_sched_priority_max, twix_sched_priority_min, twix_sched_rr_get_interval, twix_getcpu, twix_prctl;

/* --- arch/ */
extern const char twix_machine_name[];
extern const uint16_t twix_elf_machine; /* EM_* */

/* --- system.c: what asks about the machine and the user */
twix_call twix_uname, twix_sysinfo, twix_getrandom, twix_prlimit, twix_umask, twix_sethostname;
twix_call twix_setdomainname, twix_personality;
mode_t twix_mode_mask(void);

/* --- shared.c: what programs that come from one another share, in one object */
struct twix_file;

/* What an open file is of. The order is that of twix_ops in files.c. */
enum twix_kind {
	TWIX_FREE, TWIX_TERMINAL, TWIX_REGULAR, TWIX_DIRECTORY, TWIX_NULL, TWIX_ZERO, TWIX_RANDOM,
	TWIX_PIPE_READ, TWIX_PIPE_WRITE, TWIX_EVENTFD, TWIX_EPOLL, TWIX_PTMX, TWIX_FULL, TWIX_TEXT,
	TWIX_FIFO, TWIX_SOCKET, TWIX_TIMERFD, TWIX_SIGNALFD,
};

/*
 * An open file, which several descriptors of several programs may stand for. refs is atomic; kind, id
 * and parent stay as they are while there are references, the rest is guarded by lock.
 */
struct twix_file {
	objid_t id;     /* of the object it is kept in, or what node.c knows it by, or 0 */
	objid_t parent; /* the directory it was found in; of what node.c has, its node; or 0 */
	uint32_t kind;
	uint32_t refs;
	uint32_t flags; /* O_… as of open and F_SETFL */
	uint32_t used;       /* atomic: counts reads and writes of what has no size */
	uint32_t generation; /* of the place in the table; stays as it is */
	uint32_t next;       /* in the list of free places */
	uint32_t next_open;  /* among the open files of objects with one hash; guarded by its lock */
	uint32_t orphan;     /* the object has no name any more, and is tied; guarded by the same */
	int64_t offset; /* of a directory: where its list stands; of what has no size: as its kind has it */
	struct mutex lock;
};

#define TWIX_DESCRIPTORS 16384 /* of a process at most */

/* The number of an open file, 0: none; and whether it is closed by execve(). Atomic. */
typedef uint32_t twix_descriptor;
#define TWIX_CLOEXEC (1u << 31)
#define TWIX_FILE_OF(d) ((d) & ~TWIX_CLOEXEC)

enum twix_state { TWIX_NO_PROCESS, TWIX_STARTING, TWIX_RUNNING, TWIX_LEAVING, TWIX_ENDED };

/* Whether the program that runs in a process knows of it, and will tell its end; or was killed before. */
enum twix_taken { TWIX_NOT_TAKEN, TWIX_TAKEN, TWIX_KILLED };

/*
 * A process: a program that was started by another, or by the machine. Found by its number, which is
 * the remainder of pid; state is atomic, and the table's lock guards who has a place in it.
 */
struct twix_process {
	uint32_t state; /* enum twix_state */
	int32_t pid, parent, group, session;
	int32_t status;   /* of one that has ended, as wait4() tells it */
	uint32_t umask;   /* atomic */
	uint32_t first;   /* whoever started it waits for its first thread */
	objid_t thread;   /* its first */
	uint64_t pending; /* atomic: signals that have come */
	uint64_t events;  /* atomic: counts what a parent waits for */
	uint64_t caught;  /* atomic: signals that it has handlers for */
	uint64_t blocked, ignored; /* atomic: by its first thread; without a handler. For exec, too */
	uint64_t disturbed; /* atomic: counts what those who sleep must look at */
	uint64_t job;       /* atomic: TWIX_STOPPED, TWIX_ENDING */
	uint64_t child_flags; /* atomic: SA_NOCLDSTOP, SA_NOCLDWAIT */
	int32_t report;   /* atomic: what a parent is to be told of it while it lives; 0: nothing */
	uint64_t taken;   /* atomic; enum twix_taken */
	objid_t helper;    /* the thread of its timers, or 0 */
	uint64_t alarm_at, alarm_every; /* what alarm() set, for another program that begins in it */
	uint64_t started;  /* by the monotonic clock */
	uint64_t cpu;      /* ns: of the programs before this one; of one that has ended all, with its children */
	uint64_t cpu_of_children; /* atomic: ns, of those that were waited for */
	uint32_t death_signal; /* atomic: sent when the parent ends; 0: none */
	uint32_t attributes;   /* atomic: TWIX_NOT_DUMPABLE, … */
	uint64_t signals_seen; /* atomic: a bit for each that has come, for who waits for signals as files */
	uint32_t signals_watched; /* atomic: somebody ever did */
	int32_t waits_for; /* whose lock on a file is in its way; 0: nobody's; guarded by the locks' lock */
	uint32_t nofile;   /* descriptors it may have: as its limit says */
	struct mutex lock; /* guards all below */
	objid_t cwd;       /* 0: the root */
	uint32_t cwd_file; /* an open file of it, which keeps it; 0: none */
	uint32_t fd_free;  /* no descriptor below is free */
	uint32_t fd_end;   /* all descriptors from here on are free */
};

/* Of a process; the last: it is another program than the one that made it. */
#define TWIX_NOT_DUMPABLE 1u
#define TWIX_KEEP_CAPABILITIES 2u
#define TWIX_NO_NEW_PRIVILEGES 4u
#define TWIX_ANOTHER_PROGRAM 8u

/* What others can ask about the program of a process. */
struct twix_about {
	char exe[1024];    /* the path that it was found at */
	uint64_t limits[16][2]; /* of RLIMIT_*: as it set itself, and at most; all ones: none */
	uint32_t length;   /* of the command */
	struct twix_users users; /* stays through execve(), as the limits do */
	char name[16];     /* as the program has set it; "": it has not */
	char command[2636]; /* its arguments, each with its NUL; no more than there is room for */
};

/* The object that all share: found if whoever started this program put it there, else made. */
int twix_shared_init(void);
/* This program can be sent signals from now on, and will tell its end; false: it was killed before. */
bool twix_shared_taken(void);
objid_t twix_shared_id(void);
struct twix_process *twix_self(void);
/*
 * Its table, guarded by its lock. Not in struct twix_process: those are gone through to find one, and
 * would then be a page each.
 */
twix_descriptor *twix_descriptors(const struct twix_process *p);
struct twix_about *twix_about(const struct twix_process *p);
struct twix_process *twix_process_of(int pid); /* NULL: there is none */
/* The next that there is in the table, from number *n on, which is set behind it; NULL: no more. */
struct twix_process *twix_process_next(unsigned *n);
/* A process that is starting; NULL: there are too many. */
struct twix_process *twix_process_new(void);
/* Its state has just become TWIX_NO_PROCESS: the place can be used again. */
void twix_process_freed(const struct twix_process *p);
/* It is this program from now on: after fork(). */
void twix_become(struct twix_process *p);
/* The same, of a program that stays as it is. */
void twix_act_as(struct twix_process *p);
/* A new open file with one reference; NULL: -ENFILE. */
struct twix_file *twix_file_new(enum twix_kind kind, objid_t id, unsigned flags);
/* The same of an object that names lead to, from the directory parent. */
struct twix_file *twix_file_open(enum twix_kind kind, objid_t id, objid_t parent, unsigned flags);
/* Its last name has gone: it stays while a file of it is open. Whether one is. */
bool twix_file_orphan(objid_t id);
struct twix_file *twix_file_number(unsigned n); /* NULL: 0, or too large */
/* How many files are open, of all programs. */
unsigned twix_files_open(void);
/* A new volatile object, of zeroes, and an open file of it, whose last() unties it. */
int twix_file_with_object(enum twix_kind kind, unsigned flags, struct twix_file **f);
/* A reference, unless nobody has it open any more. */
bool twix_file_get_open(struct twix_file *f);
/* A reference to the file of that number, if it still is the same; else NULL. */
struct twix_file *twix_file_get_again(unsigned n, uint32_t generation);
unsigned twix_number_of(const struct twix_file *f);
void twix_file_get(struct twix_file *f);
void twix_file_put(struct twix_file *f);
/* This program's handle to its object. NULL: it cannot be had. */
twzobj *twix_file_object(struct twix_file *f);

/* --- files.c: what can be done with a kind of file. NULL: not possible */
struct twix_ops {
	ssize_t (*read)(struct twix_file *f, void *buf, size_t n);                   /* EINVAL */
	ssize_t (*write)(struct twix_file *f, const void *buf, size_t n);            /* EINVAL */
	ssize_t (*pread)(struct twix_file *f, void *buf, size_t n, off_t at);        /* ESPIPE */
	ssize_t (*pwrite)(struct twix_file *f, const void *buf, size_t n, off_t at); /* ESPIPE */
	off_t (*size)(struct twix_file *f);                                          /* ESPIPE */
	long (*ioctl)(struct twix_file *f, unsigned long request, void *arg);        /* ENOTTY */
	/* Where data, or a hole, begins from at on; -ENXIO. NULL: everywhere is data. */
	off_t (*seek)(struct twix_file *f, off_t at, bool hole);
	/* At the end, wherever that is by now. NULL: nothing to append to. */
	ssize_t (*append)(struct twix_file *f, const void *buf, size_t n, off_t *end);
	long (*truncate)(struct twix_file *f, off_t size);                           /* EINVAL */
	long (*getdents)(struct twix_file *f, void *buf, size_t n);                  /* ENOTDIR */
	long (*sync)(struct twix_file *f);                                           /* EINVAL */
	void (*last)(struct twix_file *f); /* nobody has it open any more */
	/* As twzio_poll of one side; NULL: always ready. And whether the other side has gone. */
	int (*poll)(struct twix_file *f, uint64_t type, struct event *event);
	bool (*hung_up)(struct twix_file *f);
	/* In place of both, as twix_poll_look: at most four events. */
	short (*look)(struct twix_file *f, short events, struct event *evs, size_t *n);
	mode_t mode; /* type and permissions, of what is in no object */
};

const struct twix_ops *twix_ops_of(const struct twix_file *f);

/* --- descriptor.c */
void twix_descriptors_init(void);
/* The file of a descriptor, with a reference; NULL: -EBADF. */
struct twix_file *twix_file_of(int fd);
/* The lowest free descriptor, from `from` on, is for f, whose reference it takes. -EMFILE. */
int twix_install(struct twix_file *f, int from, bool cloexec);
/* Both or none: what has no place is put. fds is written only if both have one. */
int twix_install_pair(struct twix_file *first, struct twix_file *second, bool cloexec, int fds[2]);
void twix_descriptors_copy(const struct twix_process *from, struct twix_process *to);
void twix_descriptors_drop(struct twix_process *p, bool only_cloexec);
twix_call twix_close, twix_close_range, twix_dup, twix_dup3, twix_fcntl, twix_ioctl;

/* --- lock.c */
#define TWIX_LOCKS 512
/* Whose a lock is. Those of flock() and all others know nothing of each other. */
enum { TWIX_OF_PROCESS, TWIX_OF_FLOCK, TWIX_OF_FILE };
struct twix_lock {
	objid_t id;         /* of the file */
	int64_t start, end; /* with the last byte */
	int32_t owner;      /* 0: there is none; a process's number, or an open file's */
	uint16_t type, of;  /* TWIX_OF_* */
};
struct twix_locks {
	struct mutex lock; /* guards all */
	uint64_t changes;  /* atomic: who waits sleeps on it */
	uint64_t any;      /* atomic: there ever was one */
	uint32_t used;     /* places from this one on are free */
	uint32_t waiting;  /* at least as many as do; a process that was killed is still counted */
	struct twix_lock all[TWIX_LOCKS];
};
struct twix_locks *twix_locks(void); /* shared.c */
struct flock;
long twix_lock_range(struct twix_file *f, int cmd, struct flock *fl);
void twix_locks_drop(objid_t id, int owner, bool of_file);
twix_call twix_flock;

/* --- io.c: reading and writing */
ssize_t twix_file_write(struct twix_file *f, const void *buf, size_t n); /* where it stands */
twix_call twix_read, twix_write, twix_readv, twix_writev, twix_pread, twix_pwrite, twix_preadv;
twix_call twix_pwritev, twix_lseek, twix_ftruncate, twix_fallocate, twix_fsync, twix_getdents64;
twix_call twix_preadv2, twix_pwritev2, twix_fadvise, twix_syncfs, twix_sync_file_range;

/* --- copy.c, xattr.c, root.c */
twix_call twix_sendfile, twix_copy_file_range;
twix_call twix_getxattr, twix_lgetxattr, twix_fgetxattr, twix_listxattr, twix_llistxattr, twix_flistxattr;
twix_call twix_setxattr, twix_lsetxattr, twix_fsetxattr;
void twix_root_prepare(void); /* for the first program */

/* --- terminal.c, regular.c, directory.c, files.c */
/* A part of a file becomes a hole; the file ends behind it at least, if it grows. */
long twix_regular_clear(struct twix_file *f, off_t from, off_t len, bool grows);
extern const struct twix_ops twix_terminal_ops, twix_ptmx_ops, twix_regular_ops, twix_directory_ops;
extern const struct twix_ops twix_null_ops, twix_zero_ops, twix_full_ops, twix_random_ops;

/* --- inode.c: what a file has beside its bytes */
struct stat;
void twix_inode_make(twzobj *o, mode_t mode);
void twix_inode_stat(twzobj *o, struct stat *st);
/* Those that change it ask whether this process may: -EPERM, -EACCES. */
int twix_inode_chmod(twzobj *o, mode_t mode);
int twix_inode_chown(twzobj *o, uid_t uid, gid_t gid); /* -1: as it is */
/* A new file has the group of a directory that says so. */
void twix_inode_inherit(twzobj *o, twzobj *dir);
bool twix_inode_may(twzobj *o, int want);
int twix_inode_times(twzobj *o, const struct timespec times[2]);
void twix_inode_changed(twzobj *o);
/* Names more (or fewer) lead to it; returns how many do. */
unsigned twix_inode_link(twzobj *o, int by);
/* How many do; of a directory that was removed none. */
unsigned twix_inode_links(twzobj *o);
mode_t twix_inode_mode(twzobj *o);
/* Where the file's end stood before it was cut shorter, until what lies behind it is zeroes; 0: it is.
 * Durable, but for 0: if that is lost, what is zeroes is stored once more. */
uint64_t twix_inode_stale(twzobj *o);
void twix_inode_set_stale(twzobj *o, uint64_t end);

/* --- node.c: files that are in no object; their IDs begin with a tag */
struct twix_node_entry {
	objid_t id;
	int type; /* NAME_ENT_* */
	char name[32];
};
extern const struct twix_ops twix_text_ops;
bool twix_is_node(objid_t id);
/* The names that the root has beside those of its own. */
objid_t twix_node_root(void);
/* The node at a path that has one; 0: another object, or nothing. */
objid_t twix_node_of_path(const char *path);
/* A name in a directory. -ENOENT. */
int twix_node_find(objid_t dir, const char *name, objid_t *id, int *type);
/* The next of a directory's names, *at being 0 at first; false: there are no more. */
bool twix_node_next(objid_t dir, long *at, struct twix_node_entry *e);
/* As fstatat(). */
int twix_stat_path(int dirfd, const char *path, int flags, struct stat *st); /* stat.c */
/* What a link, which is no object, is told by. */
uint64_t twix_link_number(objid_t parent, const char *name); /* stat.c */
void twix_node_stat(objid_t id, struct stat *st);
/* A device's own file, not a directory or something that is read. */
bool twix_node_is_device(objid_t id);
/* Of /proc/PID/fd/N: the open file, with a reference; else NULL. */
struct twix_file *twix_node_descriptor(objid_t id);
/* What a file says from `at` on, or where a link leads to: its length, or an error. */
ssize_t twix_node_text(objid_t id, char *buf, size_t n, off_t at);
int twix_node_open(objid_t id, unsigned flags, struct twix_file **f);
/* As twix_path_of. */
int twix_node_path(objid_t id, char *path, size_t *at);
/* A directory in memory, for all that share. */
objid_t twix_shared_memory(void); /* shared.c */
objid_t twix_shared_memory_made(void); /* 0: it was not asked for yet */

/* --- limits.c */
void twix_limits_init(struct twix_process *p);
uint64_t twix_limit(unsigned what); /* of this process, RLIMIT_* */

/* --- proc.c */
/* What others can see of this program from now on; exe NULL: that stays. */
void twix_describe(const char *exe, int argc, char *const *argv);
void twix_process_name(const struct twix_process *p, char name[16]);
uint64_t twix_cpu_of_all(void); /* nanoseconds */

/* --- path.c: names to objects */
struct twix_where {
	objid_t parent; /* the directory that has (or would have) the name */
	objid_t id;     /* 0: there is none of that name yet */
	int type;       /* NAME_ENT_* of id */
	bool slash;     /* a slash follows the last component */
	char name[256]; /* the last component; "": there is none, the directory itself is meant */
};
objid_t twix_root_id(void);
/* Where the path of an object begins in path, of which from *at on is in use already. */
int twix_path_of(objid_t id, char *path, size_t *at);
/* The same of an open file; what has no path is told in another way. */
int twix_path_of_file(const struct twix_file *f, char *path, size_t *at);
/* Puts "/name" in front of what stands in path from *at on. -ENAMETOOLONG. */
int twix_path_prepend(char *path, size_t *at, const char *name);
/* What is found if the last component is a symbolic link: the link, unless a slash follows; what it
 * leads to; the link in any case, as what a name is changed of. */
enum twix_follow { TWIX_LINK, TWIX_FOLLOW, TWIX_NAME };
/* A special file: type and permissions. */
int twix_make_special(int dirfd, const char *path, mode_t mode); /* open.c */
/* Follow a path from dirfd. 0, or an error. */
int twix_resolve(int dirfd, const char *path, enum twix_follow follow, struct twix_where *w);
/* What a name in a directory leads to. -ENOENT. */
int twix_path_find(objid_t dir, const char *name, objid_t *id, int *type);
/* Whether a directory is `top` or lies below it. */
bool twix_path_is_below(objid_t id, objid_t top);
/* Where a symbolic link leads to: the length. */
ssize_t twix_path_read_link(const struct twix_where *w, char *buf, size_t n);
/* The directory that relative paths begin at; 0: there is none. */
objid_t twix_directory_of(int dirfd, int *error);
twix_call twix_getcwd, twix_chdir, twix_fchdir;

/* --- change.c: changes of names that a power cut could leave half done */
struct twix_change;
/* Unless dir has that name for it, links names lead to id after a power cut that comes before the end;
 * without any it goes. NULL: nothing is known of this change, and nothing will be done. */
struct twix_change *twix_change_begin(objid_t id, objid_t dir, const char *name, unsigned links);
void twix_change_end(struct twix_change *c); /* or NULL */
/* Move what was made in memory into the store; it goes if it has no name at the end. *c: to be ended. */
int twix_change_keep(twzobj *o, objid_t dir, const char *name, struct twix_change **c);
/* For the first program: do what the records of earlier boots say. */
void twix_changes_undo(void);

/* --- make.c */
/* A new file or directory by the type in mode, of the kind that dir is, and without a name yet: that is what
 * *c is for, which is to be ended. Its mode is masked. */
int twix_make(objid_t dir, const char *name, mode_t mode, twzobj *o, struct twix_change **c);
/* A new directory with its name, in the directory w->parent that is open as parent. Names locked. */
int twix_make_directory(const struct twix_where *w, mode_t mode, twzobj *parent);
bool twix_is_volatile(twzobj *o);
/* Whether it has no names but . and .. */
bool twix_directory_is_empty(objid_t id); /* names.c */

/* The file gets the name *w, unless there is one now: that is found instead. -EEXIST. */
int twix_name_new(struct twix_where *w, objid_t id); /* names.c */

/* --- open.c, names.c, stat.c: the calls that take paths */
twix_call twix_openat, twix_memfd_create;
twix_call twix_mkdirat, twix_mknodat, twix_unlinkat, twix_renameat2, twix_renameat, twix_symlinkat, twix_readlinkat, twix_linkat;
twix_call twix_fstatat, twix_fstat, twix_faccessat, twix_fchmodat, twix_fchmod, twix_fchownat, twix_fchown;
twix_call twix_utimensat, twix_faccessat2, twix_statx, twix_truncate, twix_statfs, twix_fstatfs, twix_sync;

#endif
