/* zarmour: armoured text encoding and decoding: base64, base32, base16, Z85 */

#define ZARMOUR_MODE_BASE64_STD 0
#define ZARMOUR_MODE_BASE64_URL 1
#define ZARMOUR_MODE_BASE32_STD 2
#define ZARMOUR_MODE_BASE32_HEX 3
#define ZARMOUR_MODE_BASE16 4
#define ZARMOUR_MODE_Z85 5

zarmour_t *zarmour_new (void);
void zarmour_destroy (zarmour_t **self_p);
char *zarmour_encode (zarmour_t *self, const byte *data, size_t size);
zchunk_t *zarmour_decode (zarmour_t *self, const char *data);
int zarmour_mode (zarmour_t *self);
const char *zarmour_mode_str (zarmour_t *self);
void zarmour_set_mode (zarmour_t *self, int mode);
bool zarmour_pad (zarmour_t *self);
void zarmour_set_pad (zarmour_t *self, bool pad);
char zarmour_pad_char (zarmour_t *self);
void zarmour_set_pad_char (zarmour_t *self, char pad_char);
bool zarmour_line_breaks (zarmour_t *self);
void zarmour_set_line_breaks (zarmour_t *self, bool line_breaks);
size_t zarmour_line_length (zarmour_t *self);
void zarmour_set_line_length (zarmour_t *self, size_t line_length);
void zarmour_print (zarmour_t *self);
void zarmour_test (bool verbose);
