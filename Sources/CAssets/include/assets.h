#ifndef SLUICE_ASSETS_H
#define SLUICE_ASSETS_H

#include <stddef.h>

/* A file that the binary brings along; it lives as long as the process. */
struct sluice_asset {
    const unsigned char *_Nonnull bytes;
    size_t count;
};

/* schemas/openapi.yaml */
struct sluice_asset sluice_openapi_yaml(void);
/* schemas/asyncapi.yaml */
struct sluice_asset sluice_asyncapi_yaml(void);
/* The page that shows it. */
struct sluice_asset sluice_reference_html(void);

#endif
