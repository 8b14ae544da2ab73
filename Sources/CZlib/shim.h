#include <zlib.h>

// The functions are macros in zlib's header, which Swift does not see.
static inline int CZlib_inflateInit2(z_stream *stream, int windowBits) { return inflateInit2(stream, windowBits); }
