/* libc: integer types of POSIX systems */

typedef int zmq_fd_t;
typedef int SOCKET;
typedef long time_t;
typedef long off_t;
typedef unsigned int mode_t;
