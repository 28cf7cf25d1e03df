#!/bin/sh
# Gives ssh the password that it asks for (ssh(1), SSH_ASKPASS): from the file in memory that LIANDUN_PASSWORD_FILE names.
exec cat -- "$LIANDUN_PASSWORD_FILE"
