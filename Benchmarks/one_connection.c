// One connection: the time of a durable POST beside the time of a 4 KiB append and fdatasync, by turns.
// Arguments: PORT PATH KEY BODY FILE SECONDS. Prints the medians in microseconds as JSON.
#include "http.h"

enum { SAMPLES_MAX = 1000000, BLOCK = 4096 };

static uint64_t posts[SAMPLES_MAX], syncs[SAMPLES_MAX];

static void post(int connection, const char *request, size_t request_count) {
    static char bytes[65536];
    struct answer answer;
    size_t count = 0;
    send_whole(connection, request, request_count);
    do {
        ssize_t more = recv(connection, bytes + count, sizeof bytes - 1 - count, 0);
        if (more <= 0) fail("recv");
        count += more;
        bytes[count] = 0;
    } while (!parse_answer(bytes, count, &answer));
    if (answer.status != 201) {
        fprintf(stderr, "%s\n", bytes);
        exit(1);
    }
}

static int by_size(const void *one, const void *other) {
    uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
    return a < b ? -1 : a > b;
}

static double median_us(uint64_t *samples, size_t count) {
    qsort(samples, count, sizeof *samples, by_size);
    return samples[count / 2] / 1000.0;
}

int main(int argc, char **argv) {
    if (argc != 7) return 64;
    static char request[16384], block[BLOCK];
    size_t request_count = make_request(request, sizeof request, "POST", argv[2], argv[3], "", argv[4]), count = 0;
    int connection = connect_to(atoi(argv[1])), file = open(argv[5], O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (file < 0) fail(argv[5]);
    memset(block, 'x', BLOCK);
    uint64_t end = now_ns() + (uint64_t)(atof(argv[6]) * 1e9), start;
    while ((start = now_ns()) < end && count < SAMPLES_MAX) {
        post(connection, request, request_count);
        uint64_t answered = now_ns();
        if (write(file, block, BLOCK) != BLOCK || fdatasync(file) < 0) fail("fdatasync");
        posts[count] = answered - start;
        syncs[count++] = now_ns() - answered;
    }
    printf("{\"samples\": %zu, \"post_us\": %.1f, ", count, median_us(posts, count));
    printf("\"fdatasync_us\": %.1f}\n", median_us(syncs, count));
    return 0;
}
