/* internal: what libczmq exports and no header of it declares */

struct sha1_ctxt {
    union {
        uint8_t b8[20];
        uint32_t b32[5];
    } h;
    union {
        uint8_t b8[8];
        uint64_t b64[1];
    } c;
    union {
        uint8_t b8[64];
        uint32_t b32[16];
    } m;
    uint8_t count;
};

struct slre {
    unsigned char code[256];
    unsigned char data[256];
    int code_size;
    int data_size;
    int num_caps;
    int anchored;
    const char *err_str;
};

struct cap {
    const char *ptr;
    size_t len;
};

void sha1_init (struct sha1_ctxt *ctxt);
void sha1_pad (struct sha1_ctxt *ctxt);
void sha1_loop (struct sha1_ctxt *ctxt, const uint8_t *input, size_t len);
void sha1_result (struct sha1_ctxt *ctxt, uint8_t *digest);
int slre_compile (struct slre *r, const char *re);
int slre_match (const struct slre *r, const char *buf, size_t len, struct cap *caps);
void slre_dump (const struct slre *r, FILE *fp);

/* draft */
void czmq_private_selftest (bool verbose, const char *subtest);
size_t header_callback (char *buffer, size_t size, size_t nitems, void *userp);
size_t write_data (void *buffer, size_t size, size_t nmemb, void *userp);
