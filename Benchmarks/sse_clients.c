// Many clients on one run's event stream, and posts of new events at a steady rate, in one thread and by one clock:
// how long after its acknowledgement each event reaches each client.
// Arguments: PORT RUN KEY BODY CLIENTS RATE SECONDS. Says "connected" once all are, and goes on at a line on its input.
#include "stream.h"
#include <sys/epoll.h>
#include <sys/resource.h>

enum {
    SENDERS = 16,             // connections that post, so that a slow answer does not slow the rate
    CLIENTS_MAX = 50000,
    EVENTS_MAX = 1 << 16,     // more than are sent, so that position % EVENTS_MAX is an event's place
    BUCKETS = 1200000,        // of 100 µs each
    DRAIN_SECONDS = 30,
    LOOK_FOR_ANSWERS_EVERY = 32,
};

struct client {
    int socket;
    struct stream stream;
};

struct sender {
    int socket, is_waiting;
    size_t count;
    char bytes[8192];
};

struct event {
    uint64_t acknowledged, early;  // early: how many clients had it before its acknowledgement was read
};

static struct client clients[CLIENTS_MAX];
static struct sender senders[SENDERS];
static struct event events[EVENTS_MAX];
static uint64_t buckets[BUCKETS], received, acknowledged, closed;
static char request[16384];
static size_t request_count;

void take_event(uint64_t position, uint64_t now) {
    struct event *event = &events[position % EVENTS_MAX];
    received++;
    if (!event->acknowledged) {
        event->early++;
        return;
    }
    uint64_t bucket = (now - event->acknowledged) / 100000;
    buckets[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
}

// Reads once from a stream; whether it goes on.
static int read_stream(struct client *client) {
    static char bytes[1 << 18];
    ssize_t count = recv(client->socket, bytes, sizeof bytes, 0);
    if (count < 0 && errno == EAGAIN) return 1;
    if (count <= 0) return 0;
    take_bytes(&client->stream, bytes, bytes + count, now_ns());
    return 1;
}

static void connect_client(struct client *client, int port, const char *head, size_t head_count) {
    char start[13] = {0};
    client->socket = connect_to(port);
    send_whole(client->socket, head, head_count);
    if (recv(client->socket, start, 12, MSG_PEEK | MSG_WAITALL) != 12 || strcmp(start, "HTTP/1.1 200")) {
        fprintf(stderr, "a stream was answered %s\n", start);
        exit(1);
    }
    while (client->stream.part == HEAD)
        if (!read_stream(client)) fail("a stream was closed");
    set_nonblocking(client->socket);
}

static void read_answer(struct sender *sender) {
    struct answer answer;
    ssize_t more = recv(sender->socket, sender->bytes + sender->count, sizeof sender->bytes - 1 - sender->count, 0);
    if (more < 0 && errno == EAGAIN) return;
    if (more <= 0) fail("recv");
    sender->count += more;
    sender->bytes[sender->count] = 0;
    if (!parse_answer(sender->bytes, sender->count, &answer)) return;
    if (answer.status != 201 || !answer.position) {
        fprintf(stderr, "a post was answered: %s\n", sender->bytes);
        exit(1);
    }
    events[answer.position % EVENTS_MAX].acknowledged = now_ns();
    acknowledged++;
    sender->is_waiting = 0;
    sender->count = 0;
}

static int read_answers(void) {
    int waiting = 0;
    for (int index = 0; index < SENDERS; index++) {
        if (senders[index].is_waiting) read_answer(&senders[index]);
        waiting += senders[index].is_waiting;
    }
    return waiting;
}

// Sends one event if a connection is free for it.
static int send_event(void) {
    for (int index = 0; index < SENDERS; index++) {
        if (senders[index].is_waiting) continue;
        send_whole(senders[index].socket, request, request_count);
        senders[index].is_waiting = 1;
        return 1;
    }
    return 0;
}

static void add(int poll, int socket, struct client *client) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    if (epoll_ctl(poll, EPOLL_CTL_ADD, socket, &event) < 0) fail("epoll_ctl");
}

static void read_ready(int poll) {
    struct epoll_event ready[256];
    int count = epoll_wait(poll, ready, 256, 1);
    for (int index = 0; index < count; index++) {
        struct client *client = ready[index].data.ptr;
        if (index % LOOK_FOR_ANSWERS_EVERY == 0) read_answers();
        if (client && !read_stream(client)) {
            epoll_ctl(poll, EPOLL_CTL_DEL, client->socket, NULL);
            closed++;
        }
    }
}

// In milliseconds; what never came counts as never, -1.
static double percentile(uint64_t expected, double share) {
    uint64_t rank = expected * share, sum = 0;
    for (int bucket = 0; bucket < BUCKETS; bucket++)
        if ((sum += buckets[bucket]) > rank) return bucket / 10.0;
    return -1;
}

// Posts at the rate until the time is over, then waits for what is still to come. Answers the time of the last post.
static uint64_t post_and_read(int poll, int count, double rate, double seconds) {
    uint64_t start = now_ns(), end = start + (uint64_t)(seconds * 1e9), sent = 0, now;
    while ((now = now_ns()) < end) {
        while (sent < rate * (now - start) / 1e9 && send_event()) sent++;
        read_ready(poll);
    }
    uint64_t deadline = end + (uint64_t)DRAIN_SECONDS * 1000000000;
    while ((read_answers() || received < acknowledged * count) && now_ns() < deadline) read_ready(poll);
    for (int index = 0; index < EVENTS_MAX; index++) buckets[0] += events[index].early;
    return end;
}

int main(int argc, char **argv) {
    if (argc != 8) return 64;
    int port = atoi(argv[1]), count = atoi(argv[5]), poll = epoll_create1(0);
    double rate = atof(argv[6]), seconds = atof(argv[7]);
    char path[256], head[1024];
    if (count < 1 || count > CLIENTS_MAX || rate * seconds > EVENTS_MAX / 2) return 64;
    snprintf(path, sizeof path, "/runs/%s/events/stream", argv[2]);
    size_t head_count = make_request(head, sizeof head, "GET", path, argv[3], "", "");
    snprintf(path, sizeof path, "/runs/%s/events", argv[2]);
    request_count = make_request(request, sizeof request, "POST", path, argv[3], "", argv[4]);
    for (int index = 0; index < count; index++) {
        connect_client(&clients[index], port, head, head_count);
        add(poll, clients[index].socket, &clients[index]);
    }
    puts("connected");
    fflush(stdout);
    if (getchar() == EOF) return 1;
    for (int index = 0; index < SENDERS; index++) {
        senders[index].socket = connect_to(port);
        set_nonblocking(senders[index].socket);
        add(poll, senders[index].socket, NULL);
    }
    uint64_t end = post_and_read(poll, count, rate, seconds), expected = acknowledged * count;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf(
        "{\"events\": %lu, \"expected\": %lu, \"received\": %lu, \"closed\": %lu, \"p50_ms\": %.1f, \"p99_ms\": %.1f, "
        "\"drain_seconds\": %.1f, \"cpu_seconds\": %.1f}\n",
        acknowledged, expected, received, closed, percentile(expected, 0.5), percentile(expected, 0.99),
        (now_ns() - end) / 1e9,
        usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
    return 0;
}
