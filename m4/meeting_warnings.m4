# MEETING_WARNINGS: the warnings that this compiler knows, in WARNING_CFLAGS; never in CFLAGS, which is the user's.
AC_DEFUN([MEETING_WARNINGS], [
  WARNING_CFLAGS=
  AS_IF([test "x$enable_werror" = xyes], [meeting_error=-Werror], [meeting_error=])
  for meeting_flag in -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla \
      $meeting_error; do
    meeting_save_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS -Werror $meeting_flag"
    AC_MSG_CHECKING([whether $CC takes $meeting_flag])
    AC_COMPILE_IFELSE([AC_LANG_PROGRAM([])],
      [AC_MSG_RESULT([yes])
       AS_VAR_APPEND([WARNING_CFLAGS], [" $meeting_flag"])],
      [AC_MSG_RESULT([no])])
    CFLAGS=$meeting_save_CFLAGS
  done
  AC_SUBST([WARNING_CFLAGS])
])
