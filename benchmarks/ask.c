/* Asks one route over HTTP/1.1 and tells what became of it: the client of the benchmarks of the online service, compiled when they run.

   ask HOST PORT PATH BODIES RATE SECONDS CONNECTIONS [HEADER ...]

   BODIES is a file with a body in each line, sent in turn. RATE is requests a second, due at random times (Poisson), sent whatever is
   answered (an open loop); latencies then count from when a request was due, as wrk2 counts them, so that waiting for a free connection is
   part of them. RATE 0 asks again as soon as a connection has its answer (a closed loop). The first WARM_S seconds count nowhere. Prints
   one JSON object; milliseconds are of answers with status 200. Waits PATIENCE_S for what is in work at the end. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { ROOM = 1 << 14, EVENTS = 512, STATUSES = 600, WARM_S = 1, PATIENCE_S = 10 };

struct connection { int fd, busy, writing, advised; size_t at, got; double due; char *request; size_t length; char answer[ROOM + 1]; };

static struct sockaddr_in where;
static struct connection *all, **idle;
static char **requests;
static size_t *lengths, bodies, next_body, idle_count, good, good_room;
static long statuses[STATUSES], advised, sent;
static double *latencies, begun, until;
static int poll_fd;

static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + t.tv_nsec / 1e9; }

static void fail(const char *what) { perror(what); exit(1); }

static void watch(struct connection *c, uint32_t events, int how) {
    struct epoll_event event = {.events = events, .data.ptr = c};
    if (epoll_ctl(poll_fd, how, c->fd, &event)) fail("epoll_ctl");
}

static void open_connection(struct connection *c) {
    int one = 1;
    if ((c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)) < 0) fail("socket");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(c->fd, (struct sockaddr *)&where, sizeof where) && errno != EINPROGRESS) fail("connect");
    c->writing = 1;
    watch(c, EPOLLIN | EPOLLOUT, EPOLL_CTL_ADD);
}

static void note(struct connection *c, int status) {
    double over = now();
    if (c->due >= begun + WARM_S || over >= begun + WARM_S) {
        if (over <= until || status != 200) statuses[status]++;
        advised += c->advised;
        if (status == 200 && c->due >= begun + WARM_S) {
            if (good == good_room && !(latencies = realloc(latencies, (good_room = 2 * good_room + 1024) * sizeof *latencies))) fail("realloc");
            latencies[good++] = (over - c->due) * 1000;
        }
    }
    c->busy = 0;
    idle[idle_count++] = c;
}

static void again(struct connection *c, int status) {
    close(c->fd);
    c->fd = -1;
    if (c->busy) note(c, status);
}

static void write_more(struct connection *c) {
    ssize_t done = c->at < c->length ? send(c->fd, c->request + c->at, c->length - c->at, MSG_NOSIGNAL) : 0;
    if (done < 0 && errno != EAGAIN && errno != ENOTCONN) { again(c, 0); return; }
    c->at += done > 0 ? done : 0;
    int left = c->at < c->length;
    if (left != c->writing) { c->writing = left; watch(c, EPOLLIN | (left ? EPOLLOUT : 0), EPOLL_CTL_MOD); }
}

static void ask(double due) {
    struct connection *c = idle[--idle_count];
    c->busy = 1; c->due = due; c->at = c->got = c->advised = 0;
    c->request = requests[next_body]; c->length = lengths[next_body];
    next_body = (next_body + 1) % bodies;
    sent += due >= begun + WARM_S;
    if (c->fd < 0) open_connection(c); else write_more(c);
}

static void read_more(struct connection *c) {
    ssize_t done = recv(c->fd, c->answer + c->got, ROOM - c->got, 0);
    if (done < 0 && errno == EAGAIN) return;
    if (done <= 0 || !c->busy) { again(c, 0); return; }
    c->got += done;
    c->answer[c->got] = 0;
    char *end = strstr(c->answer, "\r\n\r\n");
    if (!end) return;
    *end = 0;
    char *told = strcasestr(c->answer, "content-length:");
    size_t whole = end + 4 - c->answer + (told ? strtoul(told + 15, 0, 10) : 0);
    int status = atoi(c->answer + 9), ends = strcasestr(c->answer, "connection: close") != 0;
    int full = c->got >= whole;
    c->advised = full && status == 503 && strcasestr(c->answer, "retry-after:") != 0;
    *end = '\r';
    if (!full) { if (whole > ROOM) fail("the answer is too long"); return; }
    status = status > 0 && status < STATUSES ? status : 0;
    if (ends) again(c, status); else note(c, status);
}

static void read_bodies(const char *path, const char *host, const char *route, char **headers) {
    char *line = 0, head[8192]; size_t room = 0; ssize_t length;
    FILE *file = fopen(path, "r");
    if (!file) fail(path);
    while ((length = getline(&line, &room, file)) > 0) {
        length -= line[length - 1] == '\n';
        int used = snprintf(head, sizeof head, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %zd\r\n", route, host, length);
        for (char **h = headers; *h; h++) used += snprintf(head + used, sizeof head - used, "%s\r\n", *h);
        used += snprintf(head + used, sizeof head - used, "\r\n");
        requests = realloc(requests, (bodies + 1) * sizeof *requests);
        lengths = realloc(lengths, (bodies + 1) * sizeof *lengths);
        requests[bodies] = malloc(used + length);
        memcpy(requests[bodies], head, used);
        memcpy(requests[bodies] + used, line, length);
        lengths[bodies++] = used + length;
    }
    fclose(file);
}

static int ascending(const void *a, const void *b) { double x = *(double *)a, y = *(double *)b; return (x > y) - (x < y); }

static double at(double share) { return good ? latencies[(size_t)(share * (good - 1))] : -1; }

int main(int count, char **words) {
    if (count < 8) { fprintf(stderr, "ask HOST PORT PATH BODIES RATE SECONDS CONNECTIONS [HEADER ...]\n"); return 2; }
    double rate = atof(words[5]), seconds = atof(words[6]), due, time;
    int connections = atoi(words[7]);
    where.sin_family = AF_INET; where.sin_port = htons(atoi(words[2])); inet_pton(AF_INET, words[1], &where.sin_addr);
    read_bodies(words[4], words[1], words[3], words + 8);
    struct rlimit files; getrlimit(RLIMIT_NOFILE, &files); files.rlim_cur = files.rlim_max; setrlimit(RLIMIT_NOFILE, &files);
    poll_fd = epoll_create1(0);
    all = calloc(connections, sizeof *all); idle = calloc(connections, sizeof *idle);
    for (int i = 0; i < connections; i++) { all[i].fd = -1; idle[idle_count++] = &all[i]; }
    struct epoll_event events[EVENTS];
    due = begun = now(); until = begun + seconds;
    srand48(7);
    long unsent = 0;
    while ((time = now()) < until + PATIENCE_S) {
        if (time < until) {
            if (rate <= 0) while (idle_count) ask(time);
            else for (; due <= time && idle_count; due += -log(1 - drand48()) / rate) ask(due);
        } else if (idle_count == (size_t)connections) break;
        double wait = time >= until || rate <= 0 || !idle_count ? 0.05 : due - time;
        struct timespec pause = {0, (long)(1e9 * (wait < 0 ? 0 : wait > 0.05 ? 0.05 : wait))};
        int found = epoll_pwait2(poll_fd, events, EVENTS, &pause, 0);
        for (int i = 0; i < found; i++) {
            struct connection *c = events[i].data.ptr;
            if (c->fd >= 0 && events[i].events & EPOLLOUT) write_more(c);
            if (c->fd >= 0 && events[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP)) read_more(c);
        }
    }
    for (; rate > 0 && due < until; due += -log(1 - drand48()) / rate) unsent++;
    for (int i = 0; i < connections; i++) if (all[i].busy) statuses[0]++;
    struct rusage used; getrusage(RUSAGE_SELF, &used);
    qsort(latencies, good, sizeof *latencies, ascending);
    printf("{\"seconds\":%.3f,\"sent\":%ld,\"unsent\":%ld,\"advised\":%ld,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f,\"cpu_s\":%.3f,\"statuses\":{",
           seconds - WARM_S, sent, unsent, advised, at(0.5), at(0.99), at(1),
           used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
    for (int i = 0, first = 1; i < STATUSES; i++) if (statuses[i]) { printf("%s\"%d\":%ld", first ? "" : ",", i, statuses[i]); first = 0; }
    puts("}}");
    return 0;
}
