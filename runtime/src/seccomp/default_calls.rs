//! The system calls of the default policy by name, as it names them: those of other machines and of 32-bit programs among
//! them, which mean nothing where they do not exist.

use caps::Capability;

/// Open to every container. In this order: files by descriptor; files by name, and what is told of them; waiting; memory;
/// sockets; time; processes, threads and signals; users, groups and limits; queues and semaphores; the rest.
///
/// Tracing is among them: since Linux 4.8 it is no way round a filter, and no process of another user can be traced.
/// `socketcall` is, too: 32-bit programs of old cannot do without, and what it is asked for no filter can see.
pub(super) const OPEN_TO_ALL: &str = "\
    cachestat close close_range copy_file_range dup dup2 dup3 fadvise64 fadvise64_64 fallocate fcntl fcntl64 \
    fdatasync flock fsync ftruncate ftruncate64 ioctl _llseek lseek pipe pipe2 pread64 preadv preadv2 pwrite64 \
    pwritev pwritev2 read readahead readv sendfile sendfile64 splice sync sync_file_range syncfs tee truncate \
    truncate64 vmsplice write writev \
    access chdir chmod chown chown32 creat faccessat faccessat2 fanotify_mark fchdir fchmod fchmodat fchmodat2 \
    fchown fchown32 fchownat fgetxattr flistxattr fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 \
    futimesat getcwd getdents getdents64 getxattr getxattrat inotify_add_watch inotify_init inotify_init1 \
    inotify_rm_watch lchown lchown32 lgetxattr link linkat listmount listxattr listxattrat llistxattr lremovexattr \
    lsetxattr lstat lstat64 mkdir mkdirat mknod mknodat name_to_handle_at newfstatat open openat openat2 readlink \
    readlinkat removexattr removexattrat rename renameat renameat2 rmdir setxattr setxattrat stat stat64 statfs \
    statfs64 statmount statx symlink symlinkat umask unlink unlinkat utime utimensat utimensat_time64 utimes \
    epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd \
    eventfd2 io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit _newselect \
    pause poll ppoll ppoll_time64 pselect6 pselect6_time64 select signalfd signalfd4 \
    brk madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mlock mlock2 mlockall mmap mmap2 \
    mprotect mremap mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect process_mrelease \
    remap_file_pages \
    accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg recvmmsg_time64 \
    recvmsg send sendmmsg sendmsg sendto setsockopt shutdown socketcall socketpair \
    adjtimex alarm clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64 \
    clock_nanosleep clock_nanosleep_time64 getitimer gettimeofday nanosleep setitimer time timer_create timer_delete \
    timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime \
    timerfd_gettime64 timerfd_settime timerfd_settime64 times \
    execve execveat exit exit_group fork futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake \
    get_robust_list get_thread_area getcpu getpgid getpgrp getpid getppid getpriority getsid gettid ioprio_get \
    ioprio_set kill landlock_add_rule landlock_create_ruleset landlock_restrict_self pidfd_open pidfd_send_signal \
    process_vm_readv process_vm_writev ptrace restart_syscall rseq rt_sigaction rt_sigpending rt_sigprocmask \
    rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo \
    sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler \
    sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam \
    sched_setscheduler sched_yield seccomp set_robust_list set_thread_area set_tid_address setpgid setpriority \
    setsid sigaltstack sigprocmask sigreturn tgkill tkill uretprobe vfork wait4 waitid waitpid \
    capget capset getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getresgid getresgid32 \
    getresuid getresuid32 getrlimit getrusage getuid getuid32 prctl prlimit64 setfsgid setfsgid32 setfsuid \
    setfsuid32 setgid setgid32 setgroups setgroups32 setregid setregid32 setresgid setresgid32 setresuid setresuid32 \
    setreuid setreuid32 setrlimit setuid setuid32 ugetrlimit \
    ipc mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 \
    mq_unlink msgctl msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget \
    getrandom riscv_hwprobe sysinfo uname \
";

/// Open on this machine: what belongs to its processor.
#[cfg(target_arch = "x86_64")]
pub(super) const OPEN_HERE: &str = "arch_prctl modify_ldt";
/// Open on this machine: what belongs to its processor.
#[cfg(target_arch = "aarch64")]
pub(super) const OPEN_HERE: &str =
    "arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls";

/// What a capability in the bounding set opens.
pub(super) const OPENED_BY: &[(Capability, &str)] = &[
    (Capability::CAP_DAC_READ_SEARCH, "open_by_handle_at"),
    (
        Capability::CAP_SYS_ADMIN,
        "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr \
         lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open quotactl \
         quotactl_fd setdomainname sethostname setns syslog umount umount2 unshare",
    ),
    (Capability::CAP_SYS_BOOT, "reboot"),
    (Capability::CAP_SYS_CHROOT, "chroot"),
    (
        Capability::CAP_SYS_MODULE,
        "delete_module init_module finit_module",
    ),
    (Capability::CAP_SYS_PACCT, "acct"),
    (
        Capability::CAP_SYS_PTRACE,
        "kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace",
    ),
    (Capability::CAP_SYS_RAWIO, "iopl ioperm"),
    (
        Capability::CAP_SYS_TIME,
        "settimeofday stime clock_settime clock_settime64",
    ),
    (Capability::CAP_SYS_TTY_CONFIG, "vhangup"),
    (
        Capability::CAP_SYS_NICE,
        "get_mempolicy mbind set_mempolicy set_mempolicy_home_node",
    ),
    (Capability::CAP_SYSLOG, "syslog"),
    (Capability::CAP_BPF, "bpf"),
    (Capability::CAP_PERFMON, "perf_event_open"),
];
