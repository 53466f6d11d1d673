/* libc: types of the C library that cffi does not know */

typedef struct _va_list *va_list;
typedef struct sigset_t sigset_t;

struct iovec {
    void *iov_base;
    size_t iov_len;
};
