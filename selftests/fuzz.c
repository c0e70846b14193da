// SPDX-License-Identifier: GPL-2.0
/*
 * Calls as no program would make them, from several threads on the same files. Each is
 * answered as the UAPI header says, nothing is lost, and everything comes back in the
 * end. LABYRINTH_SEED repeats the choices, LABYRINTH_CALLS (in all) makes it longer.
 */
#define _GNU_SOURCE
#include <sys/epoll.h>
#include <sys/time.h>

#include "labyrinth_limits.h"
#include "labyrinth_peer.h"
#include "fuzz_views.h"

#define CALLS		6000
#define REFUSED_CALLS	2000
#define THREADS		4
#define TICK_MS		50
#define STUCK_NS	(60 * NSEC_PER_SEC)

static void ignore_tick(int signal)
{
	(void)signal;
}

static struct fuzzer *create_fuzzer(struct fuzz *fuzz, unsigned int number)
{
	struct fuzzer *z = calloc(1, sizeof(*z));
	size_t page = page_size();

	z->fuzz = fuzz;
	z->number = number;
	z->random = fuzz->seed + number;
	z->random = random_next(&z->random);
	z->plain = mmap(NULL, FUZZ_PLAIN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			-1, 0);
	/* What lies behind it stays reserved, so that nothing ever comes there. */
	z->edge = mmap(NULL, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	z->read_only = z->edge + 2 * page;
	if (z->plain == MAP_FAILED || z->edge == MAP_FAILED ||
	    mprotect(z->edge, page, PROT_READ | PROT_WRITE) ||
	    mprotect(z->read_only, page, PROT_READ))
		_exit(KSFT_FAIL);
	return z;
}

/* A file that somebody else has opened. */
static int foreign_file(struct __test_metadata *_metadata)
{
	struct peer peer;
	__u64 number;
	int fd;

	ASSERT_LE(0, peer_fork(&peer));
	if (!peer.pid) {
		ASSERT_EQ(0, peer_send(&peer, 0, raw_open(0, O_RDWR)));
		test_child_exit();
	}
	ASSERT_EQ(0, peer_receive(&peer, &number, &fd));
	test_peer_join(&peer);
	return fd;
}

static void open_files(struct __test_metadata *_metadata, struct fuzz *fuzz)
{
	int i, pipes[2];

	fault_catch();
	for (i = 0; i < FUZZ_FDS; i++)
		atomic_store(&fuzz->fds[i], -1);
	for (i = FUZZ_FIRST; i < FUZZ_FOREIGN; i++) {
		int flags = i == FUZZ_READ_ONLY ? O_RDONLY : O_RDWR;

		if (i == FUZZ_NONBLOCK)
			flags |= O_NONBLOCK;
		fuzz->fds[i] = raw_open(i >= FUZZ_SECOND, flags);
		ASSERT_LE(0, fuzz->fds[i]);
	}
	fuzz->fds[FUZZ_FOREIGN] = foreign_file(_metadata);
	ASSERT_EQ(0, pipe(pipes));
	fuzz->fds[FUZZ_OTHERS] = pipes[0];
	fuzz->fds[FUZZ_OTHERS + 1] = pipes[1];
	fuzz->fds[FUZZ_OTHERS + 2] = open("/dev/null", O_RDWR | O_CLOEXEC);
	fuzz->fds[FUZZ_OTHERS + 3] = epoll_create1(EPOLL_CLOEXEC);
	test_info(fuzz->fds[FUZZ_LASTING], &fuzz->info);
	fuzz->arena = test_map_arena(fuzz->fds[FUZZ_LASTING], &fuzz->info);
}

static void make_a_call(struct fuzzer *z)
{
	atomic_fetch_add(&z->fuzz->done, 1);
	switch (fuzz_pick(z, 0, 63)) {
	case 0 ... 3:
		fuzz_map(z);
		break;
	case 4 ... 9:
		fuzz_view(z);
		break;
	case 10 ... 17:
		fuzz_look(z);
		break;
	case 18 ... 21:
		fuzz_read(z);
		break;
	case 22:
		fuzz_reopen(z);
		break;
	case 23 ... 24:
		fuzz_odd(z);
		break;
	case 25:
		if (fuzz_once_in(z, 4))
			fuzz_fork(z);
		break;
	default:
		fuzz_ioctl(z);
		break;
	}
}

static void *run_thread(void *argument)
{
	struct fuzzer *z = argument;
	__u64 i;

	for (i = 0; i < z->fuzz->calls; i++)
		make_a_call(z);
	return NULL;
}

/* Interrupts every thread again and again, so that none waits for ever. */
static void tick_until_done(struct fuzz *fuzz, pthread_t *threads)
{
	__u64 done = 0, moved_ns = now_ns(), said_ns = moved_ns, i;
	bool left = true;

	while (left) {
		sleep_ms(TICK_MS);
		left = false;
		for (i = 0; i < THREADS; i++) {
			if (!threads[i])
				continue;
			if (!pthread_tryjoin_np(threads[i], NULL))
				threads[i] = 0;
			else
				pthread_kill(threads[i], SIGUSR1);
			left |= !!threads[i];
		}
		if (atomic_load(&fuzz->done) != done)
			moved_ns = now_ns();
		done = atomic_load(&fuzz->done);
		if (now_ns() - said_ns > 10 * NSEC_PER_SEC) {
			said_ns = now_ns();
			fprintf(stderr, "# %llu calls so far\n", (unsigned long long)done);
		}
		if (now_ns() - moved_ns > STUCK_NS) {
			fprintf(stderr, "# no thread has moved for a minute\n");
			_exit(KSFT_FAIL);
		}
	}
}

static void run_threads(struct __test_metadata *_metadata, struct fuzz *fuzz)
{
	struct sigaction tick = { .sa_handler = ignore_tick };	/* without SA_RESTART */
	pthread_t threads[THREADS];
	unsigned int i;

	open_files(_metadata, fuzz);
	sigaction(SIGUSR1, &tick, NULL);
	signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, run_thread,
					    create_fuzzer(fuzz, i)));
	tick_until_done(fuzz, threads);
	test_child_exit();
}

FIXTURE(fuzz)
{
	int fds[2];
	struct labyrinth_stat before;
	__u64 file_quota;
	struct fuzz *fuzz;
};

FIXTURE_SETUP(fuzz)
{
	self->fds[0] = open_quiet(_metadata, 0, O_RDWR);
	self->fds[1] = open_quiet(_metadata, 1, O_RDWR);
	self->fuzz = mmap(NULL, sizeof(*self->fuzz), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->fuzz);
	self->fuzz->seed = choose_seed();
	TH_LOG("LABYRINTH_SEED=%llu", (unsigned long long)self->fuzz->seed);
	/* So that quotas are reached, and the end of the pool now and then. */
	test_stat(self->fds[0], &self->before);
	self->file_quota = number_in(LIMITS "file_quota");
	ASSERT_EQ(0, set_number(LIMITS "high", 128));
	ASSERT_EQ(0, set_number(LIMITS "max", 400));
	ASSERT_EQ(0, set_number(LIMITS "file_quota", 100));
}

FIXTURE_TEARDOWN(fuzz)
{
	set_number(LIMITS "file_quota", self->file_quota);
	restore_watermarks(&self->before);
	close(self->fds[0]);
	close(self->fds[1]);
}

/* Only what was judged counts as a call; threads do other things with the files as well. */
static void say_what_was_answered(const struct fuzz *fuzz)
{
	unsigned int call, error;
	unsigned long sum = 0;

	for (call = 0; call < FUZZ_CALLS; call++) {
		fprintf(stderr, "# %s: %lu x success", fuzz_allowed[call].name,
			fuzz->answers[call][0]);
		sum += fuzz->answers[call][0];
		for (error = 1; error < ARRAY_COUNT(fuzz->answers[call]); error++) {
			if (!fuzz->answers[call][error])
				continue;
			fprintf(stderr, ", %lu x %s", fuzz->answers[call][error],
				strerrorname_np(error));
			sum += fuzz->answers[call][error];
		}
		fprintf(stderr, "\n");
	}
	fprintf(stderr, "# did %lu calls\n", sum);
}

/* What is always refused reaches nothing. A short run may be without a COPY that succeeds. */
static void expect_successes(struct __test_metadata *_metadata, const struct fuzz *fuzz)
{
	static const enum fuzz_call calls[] = {
		FUZZ_INFO, FUZZ_STAT, FUZZ_ACQUIRE, FUZZ_RELEASE, FUZZ_GIVE, FUZZ_TAKE,
		FUZZ_MMAP,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_COUNT(calls); i++)
		EXPECT_LT(0, fuzz->answers[calls[i]][0]);
	EXPECT_EQ(0, fuzz->answers[FUZZ_UNKNOWN][0]);
}

/* Its length is up to the environment; tick_until_done() finds out if it hangs. */
TEST_F_TIMEOUT(fuzz, threads_get_documented_answers_and_nothing_stays_behind, 7200)
{
	struct labyrinth_stat stat;
	struct peer peer;
	unsigned int i;

	self->fuzz->calls = number_from_environment("LABYRINTH_CALLS", CALLS) / THREADS;
	self->fuzz->copies = true;
	ASSERT_LE(0, peer_fork(&peer));
	if (!peer.pid)
		run_threads(_metadata, self->fuzz);
	while (!(poll_woken(peer.line, POLLIN, 20) & POLLHUP)) {
		for (i = 0; i < 2; i++) {
			test_stat(self->fds[i], &stat);
			ASSERT_EQ(stat.total, stat_sum(&stat));
			ASSERT_GE(stat.max, stat.total);
		}
	}
	test_peer_join(&peer);
	say_what_was_answered(self->fuzz);
	expect_successes(_metadata, self->fuzz);
	for (i = 0; i < 2; i++) {
		EXPECT_TRUE(wait_until(device_is_quiet(self->fds[i])));
		if (!device_is_quiet(self->fds[i]))
			log_unrest(_metadata, self->fds[i]);
	}
}

/* What a file's STAT says: of its device, and what it is charged itself. */
static void stat_files(struct __test_metadata *_metadata, const struct fuzz *fuzz,
		       struct labyrinth_stat stats[FUZZ_FOREIGN])
{
	int i;

	for (i = FUZZ_FIRST; i < FUZZ_FOREIGN; i++)
		test_stat(fuzz->fds[i], &stats[i]);
}

/* One thread alone, so that whatever changes is its doing. */
static void run_alone(struct __test_metadata *_metadata, struct fuzz *fuzz)
{
	const struct itimerval ticks = { { 0, TICK_MS * 1000 }, { 0, TICK_MS * 1000 } };
	struct sigaction tick = { .sa_handler = ignore_tick };	/* without SA_RESTART */
	struct labyrinth_stat before[FUZZ_FOREIGN];
	struct fuzzer *z;
	__u64 i;
	int file;

	open_files(_metadata, fuzz);
	z = create_fuzzer(fuzz, 0);
	sigaction(SIGALRM, &tick, NULL);
	setitimer(ITIMER_REAL, &ticks, NULL);
	for (i = 0; i < fuzz->calls; i++) {
		stat_files(_metadata, fuzz, before);
		atomic_fetch_add(&fuzz->done, 1);
		if (fuzz_ioctl(z))
			for (file = FUZZ_FIRST; file < FUZZ_FOREIGN; file++)
				test_unchanged(fuzz->fds[file], &before[file]);
		if (_metadata->exit_code == KSFT_FAIL)
			break;
		/* Without these there would soon be nothing left to acquire. */
		if (fuzz_once_in(z, 32))
			fuzz_reopen(z);
	}
	test_child_exit();
}

TEST_F_TIMEOUT(fuzz, a_refused_call_changes_nothing, 7200)
{
	struct peer peer;

	self->fuzz->calls = number_from_environment("LABYRINTH_CALLS", REFUSED_CALLS);
	ASSERT_LE(0, peer_fork(&peer));
	if (!peer.pid)
		run_alone(_metadata, self->fuzz);
	test_peer_join(&peer);
	say_what_was_answered(self->fuzz);
	EXPECT_TRUE(wait_until(device_is_quiet(self->fds[0])));
	EXPECT_TRUE(wait_until(device_is_quiet(self->fds[1])));
}

TEST_HARNESS_MAIN
