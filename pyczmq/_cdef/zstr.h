/* zstr: sending and receiving strings */

char *zstr_recv (void *source);
int zstr_recvx (void *source, char **string_p, ...);
int zstr_send (void *dest, const char *string);
int zstr_sendm (void *dest, const char *string);
int zstr_sendf (void *dest, const char *format, ...);
int zstr_sendfm (void *dest, const char *format, ...);
int zstr_sendx (void *dest, const char *string, ...);
void zstr_free (char **string_p);
void zstr_test (bool verbose);
char *zstr_recv_nowait (void *source);

/* draft */
char *zstr_recv_compress (void *source);
int zstr_send_compress (void *dest, const char *string);
int zstr_sendm_compress (void *dest, const char *string);
char *zstr_str (void *source);
