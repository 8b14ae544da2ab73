// Runs through the four mutations of a run, again and again on each of many connections: create it, block an action,
// approve that, complete the run. Arguments: PORT KEY CONNECTIONS SECONDS. Prints how many runs were completed as JSON.
#include "http.h"
#include <sys/epoll.h>

enum { BYTES_MAX = 16384, ID_COUNT = 36, CONNECTIONS_MAX = 1024 };
enum step { CREATE, BLOCK, APPROVE, COMPLETE };

struct connection {
    int socket;
    enum step step;
    size_t count;
    char run[ID_COUNT + 1], action[ID_COUNT + 1], bytes[BYTES_MAX];
};

#define HASH "sha256:b1d5781111d84f7b3fe45a0852e59758cd7a87e5f5a9a1f0c1b1d2c3e4f50617"

static struct connection connections[CONNECTIONS_MAX];
static const char *key;
static uint64_t runs;

static void send_step(struct connection *connection) {
    char path[256], request[2048];
    const char *method = "POST", *header = "", *body = "{}";
    switch (connection->step) {
    case CREATE:
        strcpy(path, "/runs");
        body = "{\"agent_id\": \"billing\", \"user_id\": \"ada\", \"conversation_id\": \"conv-7\"}";
        break;
    case BLOCK:
        snprintf(path, sizeof path, "/runs/%s/actions", connection->run);
        body = "{\"tool_id\": \"stripe\", \"capability\": \"POST /v1/charges\", \"payload_hash\": \"" HASH "\"}";
        break;
    case APPROVE:
        snprintf(path, sizeof path, "/runs/%s/actions/%s/approve", connection->run, connection->action);
        header = "X-Payload-Hash: " HASH "\r\n";
        break;
    case COMPLETE:
        method = "PATCH";
        snprintf(path, sizeof path, "/runs/%s", connection->run);
        body = "{\"status\": \"COMPLETED\"}";
        break;
    }
    send_whole(connection->socket, request, make_request(request, sizeof request, method, path, key, header, body));
}

// Copies the id that follows `name` in an answer.
static void take_id(char *id, const struct connection *connection, const char *name) {
    const char *found = strstr(connection->bytes, name);
    if (!found) {
        fprintf(stderr, "no %s in the answer: %s\n", name, connection->bytes);
        exit(1);
    }
    snprintf(id, ID_COUNT + 1, "%s", found + strlen(name));
}

// Takes what has come; once that is the whole answer, goes on with the next step.
static void go_on(struct connection *connection) {
    struct answer answer;
    ssize_t more =
        recv(connection->socket, connection->bytes + connection->count, BYTES_MAX - 1 - connection->count, 0);
    if (more < 0 && errno == EAGAIN) return;
    if (more <= 0) fail("recv");
    connection->count += more;
    connection->bytes[connection->count] = 0;
    if (!parse_answer(connection->bytes, connection->count, &answer)) return;
    if (answer.status / 100 != 2) {
        fprintf(stderr, "refused: %s\n", connection->bytes);
        exit(1);
    }
    if (connection->step == CREATE) take_id(connection->run, connection, "\"id\":\"");
    if (connection->step == BLOCK) take_id(connection->action, connection, "\"action_id\":\"");
    if (connection->step == COMPLETE) runs++;
    connection->step = connection->step == COMPLETE ? CREATE : connection->step + 1;
    connection->count = 0;
    send_step(connection);
}

int main(int argc, char **argv) {
    if (argc != 5) return 64;
    key = argv[2];
    int count = atoi(argv[3]), poll = epoll_create1(0);
    if (count < 1 || count > CONNECTIONS_MAX) return 64;
    for (int index = 0; index < count; index++) {
        connections[index].socket = connect_to(atoi(argv[1]));
        set_nonblocking(connections[index].socket);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &connections[index]};
        if (epoll_ctl(poll, EPOLL_CTL_ADD, connections[index].socket, &event) < 0) fail("epoll_ctl");
        send_step(&connections[index]);
    }
    uint64_t start = now_ns(), end = start + (uint64_t)(atof(argv[4]) * 1e9);
    while (now_ns() < end) {
        struct epoll_event events[64];
        int ready = epoll_wait(poll, events, 64, 100);
        for (int index = 0; index < ready; index++) go_on(events[index].data.ptr);
    }
    printf("{\"runs\": %lu, \"seconds\": %.3f}\n", runs, (now_ns() - start) / 1e9);
    return 0;
}
