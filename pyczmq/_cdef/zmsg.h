/* zmsg: messages of several frames */

zmsg_t *zmsg_new (void);
zmsg_t *zmsg_recv (void *source);
zmsg_t *zmsg_load (FILE *file);
zmsg_t *zmsg_decode (zframe_t *frame);
zmsg_t *zmsg_new_signal (byte status);
void zmsg_destroy (zmsg_t **self_p);
int zmsg_send (zmsg_t **self_p, void *dest);
int zmsg_sendm (zmsg_t **self_p, void *dest);
size_t zmsg_size (zmsg_t *self);
size_t zmsg_content_size (zmsg_t *self);
int zmsg_prepend (zmsg_t *self, zframe_t **frame_p);
int zmsg_append (zmsg_t *self, zframe_t **frame_p);
zframe_t *zmsg_pop (zmsg_t *self);
int zmsg_pushmem (zmsg_t *self, const void *data, size_t size);
int zmsg_addmem (zmsg_t *self, const void *data, size_t size);
int zmsg_pushstr (zmsg_t *self, const char *string);
int zmsg_addstr (zmsg_t *self, const char *string);
int zmsg_pushstrf (zmsg_t *self, const char *format, ...);
int zmsg_addstrf (zmsg_t *self, const char *format, ...);
char *zmsg_popstr (zmsg_t *self);
int zmsg_addmsg (zmsg_t *self, zmsg_t **msg_p);
zmsg_t *zmsg_popmsg (zmsg_t *self);
void zmsg_remove (zmsg_t *self, zframe_t *frame);
zframe_t *zmsg_first (zmsg_t *self);
zframe_t *zmsg_next (zmsg_t *self);
zframe_t *zmsg_last (zmsg_t *self);
int zmsg_save (zmsg_t *self, FILE *file);
zframe_t *zmsg_encode (zmsg_t *self);
zmsg_t *zmsg_dup (zmsg_t *self);
void zmsg_print (zmsg_t *self);
bool zmsg_eq (zmsg_t *self, zmsg_t *other);
int zmsg_signal (zmsg_t *self);
bool zmsg_is (void *self);
void zmsg_test (bool verbose);
zframe_t *zmsg_unwrap (zmsg_t *self);
zmsg_t *zmsg_recv_nowait (void *source);
void zmsg_wrap (zmsg_t *self, zframe_t *frame);
int zmsg_push (zmsg_t *self, zframe_t *frame);
int zmsg_add (zmsg_t *self, zframe_t *frame);
void zmsg_fprint (zmsg_t *self, FILE *file);

/* draft */
uint32_t zmsg_routing_id (zmsg_t *self);
void zmsg_set_routing_id (zmsg_t *self, uint32_t routing_id);
void zmsg_print_n (zmsg_t *self, size_t size);
