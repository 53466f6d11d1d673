/* libc: integer types of Windows */

typedef uintptr_t zmq_fd_t;
typedef uintptr_t SOCKET;
typedef int64_t time_t;
typedef long off_t;
typedef int mode_t;
