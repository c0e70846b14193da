/* SPDX-License-Identifier: GPL-2.0 */
/* A storm as a whole: its processes, and looking after them. */
#ifndef STORM_RUN_H
#define STORM_RUN_H

#include <sys/resource.h>

#include "storm_process.h"

#define STORM_STUCK_NS	(60 * NSEC_PER_SEC)
#define STORM_SAY_NS	(10 * NSEC_PER_SEC)
#define STORM_NICE	19

/* How often each is chosen. */
static const unsigned int storm_weights[STORM_OPERATIONS] = {
	[STORM_ACQUIRE] = 24,
	[STORM_RELEASE] = 16,
	[STORM_MISUSE] = 4,
	[STORM_WRITE] = 8,
	[STORM_CHECK] = 12,
	[STORM_MAP] = 4,
	[STORM_STALE] = 4,
	[STORM_COPY] = 3,
	[STORM_EVENTS] = 4,
	[STORM_GIVE] = 8,
	[STORM_TAKE] = 6,
	[STORM_STAT] = 4,
	[STORM_FORK] = 1,
	[STORM_CLOSE] = 1,
};

static inline enum storm_operation storm_next(struct storm_process *p)
{
	unsigned int sum = 0, i;

	if (p->storm->light && storm_once_in(p, 8))
		return STORM_CLOSE;
	for (i = 0; i < STORM_OPERATIONS; i++)
		sum += storm_weights[i];
	sum = storm_pick(p, 0, sum - 1);
	for (i = 0; sum >= storm_weights[i]; i++)
		sum -= storm_weights[i];
	return i;
}

static inline void storm_do(struct storm_process *p, struct storm_file *files,
			    struct storm_file *f, enum storm_operation operation)
{
	struct storm_held *held = storm_any(p, f);
	struct labyrinth_stat stat;

	switch (operation) {
	case STORM_ACQUIRE:
		storm_acquire(p, f);
		break;
	case STORM_RELEASE:
		storm_release(p, f);
		break;
	case STORM_MISUSE:
		storm_misuse(p, f);
		break;
	case STORM_WRITE:
		if (held && storm_check(p, f, held, "before writing"))
			storm_write(p, f, held);
		break;
	case STORM_CHECK:
		if (held)
			storm_check(p, f, held, "held");
		break;
	case STORM_MAP:
		storm_map(p, f);
		break;
	case STORM_STALE:
		storm_stale(p, f);
		break;
	case STORM_COPY:
		storm_copy(p, f);
		break;
	case STORM_EVENTS:
		storm_events(p, f);
		break;
	case STORM_GIVE:
		storm_give(p, files, f);
		break;
	case STORM_TAKE:
		storm_receive(p, files);
		break;
	case STORM_STAT:
		storm_stat(p, f, &stat);
		break;
	case STORM_FORK:
		storm_fork(p, f);
		break;
	default:
		storm_close(p, f);
		break;
	}
}

static inline void storm_step(struct storm_process *p, struct storm_file *files)
{
	struct storm_file *f = &files[storm_pick(p, 0, STORM_DEVICES - 1)];
	enum storm_operation operation = storm_next(p);

	atomic_store(&p->storm->now[p->number], operation);
	if (atomic_load(&p->storm->rest)) {
		storm_close(p, &files[0]);
		storm_close(p, &files[1]);
		sleep_ms(1);
		return;
	}
	if (f->fd < 0 && !storm_open(p, f)) {
		sleep_ms(1);
		return;
	}
	storm_do(p, files, f, operation);
	/* Now and then a breath without any file. */
	if (p->storm->light && operation == STORM_CLOSE) {
		storm_close(p, &files[0]);
		storm_close(p, &files[1]);
		sleep_ms(storm_pick(p, 0, 4));
	}
	p->step++;
	atomic_fetch_add(&p->storm->counts[operation], 1);
	atomic_store(&p->storm->done[p->number], p->step);
}

static inline bool storm_goes_on(const struct storm_process *p)
{
	if (p->storm->operations)
		return p->step < p->storm->operations;
	return !atomic_load(&p->storm->stop);
}

static inline void __attribute__((noreturn))
storm_process_run(struct storm *storm, unsigned int number)
{
	struct storm_process p = {
		.storm = storm,
		.number = number,
		.random = storm->seed + number,
	};
	static struct storm_file files[STORM_DEVICES];
	unsigned int i;

	/*
	 * An emulated machine finds a new device by itself, a long way. It is not to wait for
	 * its turn among us: that took twenty seconds on the debug kernel.
	 */
	if (setpriority(PRIO_PROCESS, 0, STORM_NICE))
		_exit(KSFT_FAIL);
	p.random = random_next(&p.random);
	for (i = 0; i < STORM_DEVICES; i++)
		files[i] = (struct storm_file){ .device = i, .fd = -1 };
	fault_catch();
	while (storm_goes_on(&p))
		storm_step(&p, files);
	atomic_store(&storm->now[number], STORM_END);
	/* Others may be sending to us still. */
	atomic_fetch_sub(&storm->sending, 1);
	while (atomic_load(&storm->sending)) {
		storm_receive(&p, files);
		sleep_ms(1);
	}
	storm_receive(&p, files);
	for (i = 0; i < STORM_DEVICES; i++) {
		storm_drain(&p, &files[i]);
		storm_close(&p, &files[i]);
	}
	_exit(KSFT_PASS);
}

struct storm_run {
	struct storm *storm;
	pid_t pids[STORM_MOST];		/* 0: has ended */
	unsigned int alive;
	bool failed;
	__u64 done;
	__u64 moved_ns;			/* when that last changed */
	__u64 said_ns;
};

/* Memory for all; the caller then says what kind of storm it is to be. */
static inline void storm_prepare(struct __test_metadata *_metadata, struct storm_run *run,
				 unsigned int processes)
{
	struct labyrinth_info info;
	struct labyrinth_stat stat;
	struct storm *storm;
	unsigned int i;
	int fd;

	memset(run, 0, sizeof(*run));
	storm = storm_share(sizeof(*storm));
	ASSERT_NE(NULL, storm);
	run->storm = storm;
	storm->processes = processes;
	storm->seed = choose_seed();
	for (i = 0; i < STORM_DEVICES; i++) {
		fd = open_quiet(_metadata, i, O_RDWR);
		test_info(fd, &info);
		test_stat(fd, &stat);
		ASSERT_EQ(0, close(fd));
		storm->poisoned[i] = stat.poisoned;
		storm->arena_pages = info.arena_length / page_size();
		storm->arena[i] = storm_share(storm->arena_pages *
					      sizeof(struct storm_page));
		ASSERT_NE(NULL, storm->arena[i]);
	}
	for (i = 0; i < STORM_TICKETS; i++) {
		storm->tickets[i].content = storm_share(STORM_TICKET_PAGES * page_size());
		ASSERT_NE(NULL, storm->tickets[i].content);
	}
	for (i = 0; i < processes; i++)
		ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC,
					0, storm->inboxes[i]));
	TH_LOG("LABYRINTH_SEED=%llu", (unsigned long long)storm->seed);
}

static inline void storm_start(struct __test_metadata *_metadata, struct storm_run *run)
{
	struct storm *storm = run->storm;
	struct peer peer;
	unsigned int i;

	atomic_store(&storm->sending, storm->processes);
	for (i = 0; i < storm->processes; i++) {
		ASSERT_LE(0, peer_fork(&peer));
		if (!peer.pid)
			storm_process_run(storm, i);
		close(peer.line);
		run->pids[i] = peer.pid;
	}
	run->alive = storm->processes;
	run->moved_ns = now_ns();
	run->said_ns = now_ns();
}

static inline __u64 storm_done(const struct storm_run *run)
{
	__u64 done = 0;
	unsigned int i;

	for (i = 0; i < run->storm->processes; i++)
		done += atomic_load(&run->storm->done[i]);
	return done;
}

/* Notices who has ended, and who has ended badly. */
static inline void storm_reap(struct storm_run *run)
{
	unsigned int i;
	int status;

	for (i = 0; i < run->storm->processes; i++) {
		if (!run->pids[i] || waitpid(run->pids[i], &status, WNOHANG) != run->pids[i])
			continue;
		run->pids[i] = 0;
		run->alive--;
		if (WIFSIGNALED(status))
			fprintf(stderr, "# process %u in %s: signal %d\n", i,
				storm_names[atomic_load(&run->storm->now[i])],
				WTERMSIG(status));
		run->failed |= !WIFEXITED(status) || WEXITSTATUS(status);
	}
}

/* False if nothing has moved for too long, and says who is where. */
static inline bool storm_moves(struct storm_run *run)
{
	__u64 done = storm_done(run);
	unsigned int i;

	if (done != run->done)
		run->moved_ns = now_ns();
	run->done = done;
	if (now_ns() - run->said_ns > STORM_SAY_NS) {
		run->said_ns = now_ns();
		fprintf(stderr, "# %llu operations so far\n", (unsigned long long)done);
	}
	if (now_ns() - run->moved_ns < STORM_STUCK_NS)
		return true;
	for (i = 0; i < run->storm->processes; i++)
		if (run->pids[i])
			fprintf(stderr, "# process %u is stuck in %s\n", i,
				storm_names[atomic_load(&run->storm->now[i])]);
	return false;
}

/* To be called now and then while a storm rages. */
#define storm_look_after(run)						\
({									\
	storm_reap(run);						\
	ASSERT_FALSE((run)->failed);					\
	ASSERT_TRUE(storm_moves(run));					\
})

/* Until so many more operations have been done: a time would be too short on a slow machine. */
#define storm_wait_for(run, operations)					\
({									\
	__u64 _until = storm_done(run) + (operations);			\
									\
	while (storm_done(run) < _until) {				\
		storm_look_after(run);					\
		sleep_ms(1);						\
	}								\
})

/* Waits for all processes, and says what they did. */
static inline void storm_finish(struct __test_metadata *_metadata, struct storm_run *run)
{
	struct storm *storm = run->storm;
	unsigned int i;

	atomic_store(&storm->stop, true);
	while (run->alive) {
		storm_look_after(run);
		sleep_ms(5);
	}
	for (i = STORM_ACQUIRE; i < STORM_END; i++)
		fprintf(stderr, "# %lu x %s\n", atomic_load(&storm->counts[i]), storm_names[i]);
	fprintf(stderr, "# %lu acquires refused, %lu files lost their device\n",
		atomic_load(&storm->refused), atomic_load(&storm->deaths));
	fprintf(stderr, "# did %llu operations\n", (unsigned long long)storm_done(run));
}

#endif /* STORM_RUN_H */
