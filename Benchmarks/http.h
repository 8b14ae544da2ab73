// What the load programs need of HTTP/1.1: connections to the loopback, answers with a Content-Length, and a clock.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct answer {
    int status;
    uint64_t position;  // the header Sluice-Position, 0 without one
    const char *body;
    size_t body_count;
};

__attribute__((noreturn)) static inline void fail(const char *what) {
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

static inline uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline int connect_to(int port) {
    int connection = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connection < 0) fail("socket");
    if (connect(connection, (struct sockaddr *)&address, sizeof address) < 0) fail("connect");
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return connection;
}

static inline void set_nonblocking(int connection) {
    if (fcntl(connection, F_SETFL, O_NONBLOCK) < 0) fail("fcntl");
}

// A request is small and the connection idle, so that one write takes it whole.
static inline void send_whole(int connection, const char *text, size_t count) {
    if (send(connection, text, count, MSG_NOSIGNAL) != (ssize_t)count) fail("send");
}

// Reads the answer at the beginning of `bytes`, which a NUL ends: its size, or 0 while it is not whole.
static inline size_t parse_answer(const char *bytes, size_t count, struct answer *answer) {
    const char *end = strstr(bytes, "\r\n\r\n");
    if (!end) return 0;
    const char *length = strcasestr(bytes, "\r\ncontent-length:");
    const char *position = strcasestr(bytes, "\r\nsluice-position:");
    answer->status = atoi(bytes + 9);
    answer->body = end + 4;
    answer->body_count = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
    answer->position = position && position < end ? strtoull(position + 18, NULL, 10) : 0;
    size_t size = answer->body - bytes + answer->body_count;
    return size <= count ? size : 0;
}

// Makes a POST (or another request) with a JSON body; answers its size.
static inline size_t make_request(
    char *out, size_t room, const char *method, const char *path, const char *key, const char *header,
    const char *body) {
    int count = snprintf(
        out, room,
        "%s %s HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n%s"
        "Content-Length: %zu\r\n\r\n%s",
        method, path, key, header, strlen(body), body);
    if (count < 0 || (size_t)count >= room) fail("a request does not fit");
    return count;
}
