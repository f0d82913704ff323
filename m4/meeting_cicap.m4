# MEETING_CICAP: c-icap's headers (CICAP_CPPFLAGS) and the folder of its modules (icapmoduledir).
# c-icap-config repeats the distribution's optimisation flags, so only -D and -I are taken from it; -I becomes -isystem,
# since its headers aren't clean under our warnings. /usr/include itself must stay where the compiler has it.
AC_DEFUN([MEETING_CICAP], [
  AC_ARG_WITH([c-icap],
    [AS_HELP_STRING([--without-c-icap], [don't build the ICAP module])],
    [], [with_c_icap=check])
  AC_ARG_WITH([icap-moduledir],
    [AS_HELP_STRING([--with-icap-moduledir=DIR], [where c-icap looks for its services @<:@c-icap's own@:>@])],
    [], [with_icap_moduledir=])
  AC_ARG_VAR([CICAP_CONFIG], [c-icap-config, which knows c-icap's headers])
  have_cicap=no
  CICAP_CPPFLAGS=
  AS_IF([test "x$with_c_icap" != xno], [
    AC_PATH_PROG([CICAP_CONFIG], [c-icap-config])
    AS_IF([test -n "$CICAP_CONFIG"], [
      for meeting_flag in `$CICAP_CONFIG --cflags`; do
        AS_CASE([$meeting_flag],
          [-I/usr/include], [],
          [-I*], [AS_VAR_APPEND([CICAP_CPPFLAGS], [" -isystem `echo "$meeting_flag" | sed 's/^-I//'`"])],
          [-D_FORTIFY_SOURCE*], [],
          [-D*], [AS_VAR_APPEND([CICAP_CPPFLAGS], [" $meeting_flag"])])
      done
    ])
    meeting_save_CPPFLAGS=$CPPFLAGS
    CPPFLAGS="$CPPFLAGS $CICAP_CPPFLAGS"
    AC_CHECK_HEADER([c_icap/service.h], [have_cicap=yes], [], [[#include <c_icap/c-icap.h>]])
    CPPFLAGS=$meeting_save_CPPFLAGS
    AS_IF([test "x$with_c_icap" = xyes && test "x$have_cicap" = xno],
      [AC_MSG_ERROR([--with-c-icap was given, but c_icap/service.h is missing: apt-get install libicapapi-dev])])
  ])
  AC_SUBST([CICAP_CPPFLAGS])
  AM_CONDITIONAL([HAVE_CICAP], [test "x$have_cicap" = xyes])

  # The folder that holds c-icap's own srv_echo.so, if it's installed; else where Debian has it.
  icapmoduledir=$with_icap_moduledir
  AS_IF([test -z "$icapmoduledir"], [
    meeting_multiarch=`$CC -print-multiarch 2>/dev/null`
    for meeting_dir in "/usr/lib/$meeting_multiarch/c_icap" /usr/local/lib/c_icap /usr/lib64/c_icap /usr/lib/c_icap; do
      AS_IF([test -z "$icapmoduledir" && test -f "$meeting_dir/srv_echo.so"], [icapmoduledir=$meeting_dir])
    done
    AS_IF([test -z "$icapmoduledir"], [icapmoduledir='${libdir}/c_icap'])
  ])
  AC_SUBST([icapmoduledir])
])
