/* zmq: the structs and callbacks of libzmq */

typedef struct zmq_msg_t {
    union {
        unsigned char _[64];
        void *alignment;
    };
} zmq_msg_t;

typedef struct zmq_pollitem_t {
    void *socket;
    zmq_fd_t fd;
    short events;
    short revents;
} zmq_pollitem_t;

typedef void (zmq_free_fn) (void *data, void *hint);
typedef void (zmq_timer_fn) (int timer_id, void *arg);
typedef void (zmq_thread_fn) (void *arg);

/* draft */
typedef struct zmq_poller_event_t {
    void *socket;
    zmq_fd_t fd;
    void *user_data;
    short events;
} zmq_poller_event_t;
