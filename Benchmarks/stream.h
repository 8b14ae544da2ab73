// Reads the ids of Server-Sent Events from the bytes of a connection, however they are parted.
#include "http.h"

enum part { HEAD, SIZE, DATA };
enum { SKIPPED = 5 };

struct stream {
    enum part part;
    size_t matched, rest;  // of the blank line after the head; of the chunk
    int column;            // how much of "id: " the line began with, or SKIPPED
    uint64_t number;
};

// Is given each id, and when it came.
void take_event(uint64_t position, uint64_t now);

// Looks for lines "id: N" in a piece of a stream; the piece may end anywhere.
static inline void take_data(struct stream *stream, const char *at, const char *end, uint64_t now) {
    while (at < end) {
        if (stream->column == SKIPPED) {
            at = memchr(at, '\n', end - at);
            if (!at) return;
            at++;
            stream->column = 0;
            stream->number = 0;
        } else if (stream->column < 4) {
            stream->column = *at == "id: "[stream->column] ? (at++, stream->column + 1) : SKIPPED;
        } else if (*at >= '0' && *at <= '9') {
            stream->number = stream->number * 10 + (*at++ - '0');
        } else {
            take_event(stream->number, now);
            stream->column = SKIPPED;
        }
    }
}

// Takes what came on a stream out of its chunks (RFC 9112, section 7.1).
static inline void take_bytes(struct stream *stream, const char *at, const char *end, uint64_t now) {
    while (at < end) {
        if (stream->part == HEAD) {
            stream->matched = *at == "\r\n\r\n"[stream->matched] ? stream->matched + 1 : *at == '\r';
            at++;
            if (stream->matched == 4) stream->part = SIZE;
        } else if (stream->part == SIZE) {
            const char *digits = "0123456789abcdef", *digit = memchr(digits, *at | 0x20, 16);
            if (digit) stream->rest = stream->rest * 16 + (digit - digits);
            if (*at == '\n' && stream->rest) stream->part = DATA;
            at++;
        } else {
            size_t count = stream->rest < (size_t)(end - at) ? stream->rest : (size_t)(end - at);
            take_data(stream, at, at + count, now);
            at += count;
            stream->rest -= count;
            if (!stream->rest) stream->part = SIZE;
        }
    }
}
