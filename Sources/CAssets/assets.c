#include "assets.h"

/* #embed is C23's (ISO/IEC 9899:2024, 6.10.4); SwiftPM compiles C in an older mode, which has it as an extension. */
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char openapi_yaml[] = {
#embed "../../schemas/openapi.yaml"
};

static const unsigned char asyncapi_yaml[] = {
#embed "../../schemas/asyncapi.yaml"
};

static const unsigned char reference_html[] = {
#embed "../../docs/reference.html"
};

struct sluice_asset sluice_openapi_yaml(void) {
    return (struct sluice_asset){openapi_yaml, sizeof openapi_yaml};
}

struct sluice_asset sluice_asyncapi_yaml(void) {
    return (struct sluice_asset){asyncapi_yaml, sizeof asyncapi_yaml};
}

struct sluice_asset sluice_reference_html(void) {
    return (struct sluice_asset){reference_html, sizeof reference_html};
}
