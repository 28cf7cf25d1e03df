-- Export of the security settings of a DM 8 server (达梦) for Liandun (docs/compliance.md). It changes nothing and prints no password.
--   disql SYSDBA/PASSWORD@HOST:5236   then   SPOOL DATABASE.txt   then   START dm_export.sql   then   SPOOL OFF   EXIT
-- Audit rules are for SYSAUDITOR to see: run it once more as SYSAUDITOR, and put the second file after the first.
SET LINESHOW OFF
SET HEADING OFF
SET FEEDBACK OFF
SET PAGESIZE 0
SET LINESIZE 999
SELECT 'liandun|begin|dm|1';
SELECT 'liandun|row|server|' || REPLACE(BANNER, '|', '/') || '|' FROM V$VERSION;
SELECT 'liandun|count|server|' || COUNT(*) FROM V$VERSION;

SELECT 'liandun|row|variables|' || LOWER(PARA_NAME) || '|' || REPLACE(PARA_VALUE, '|', '/') FROM V$DM_INI
WHERE PARA_NAME IN ('PWD_POLICY', 'PWD_MIN_LEN', 'COMPATIBLE_MODE', 'ENABLE_AUDIT', 'ENABLE_ENCRYPT', 'COMM_ENCRYPT_NAME');
SELECT 'liandun|count|variables|' || COUNT(*) FROM V$DM_INI
WHERE PARA_NAME IN ('PWD_POLICY', 'PWD_MIN_LEN', 'COMPATIBLE_MODE', 'ENABLE_AUDIT', 'ENABLE_ENCRYPT', 'COMM_ENCRYPT_NAME');

SELECT 'liandun|row|accounts|' || REPLACE(B.USERNAME, '|', '/') || '|' || B.ACCOUNT_STATUS || '|' || A.FAILED_NUM || '|' || A.LOCK_TIME
  || '|' || A.LIFE_TIME || '|' || A.REUSE_MAX || '|' || A.CONN_IDLE_TIME || '|' || CASE WHEN A.ALLOW_ADDR IS NULL THEN 'N' ELSE 'Y' END
FROM SYSUSERS A, DBA_USERS B WHERE A.ID = B.USER_ID;
SELECT 'liandun|count|accounts|' || COUNT(*) FROM SYSUSERS A, DBA_USERS B WHERE A.ID = B.USER_ID;

SELECT 'liandun|row|administrators|' || REPLACE(GRANTEE, '|', '/') || '|' || GRANTED_ROLE FROM DBA_ROLE_PRIVS
WHERE GRANTED_ROLE IN ('DBA', 'DB_AUDIT_ADMIN', 'DB_POLICY_ADMIN');
SELECT 'liandun|count|administrators|' || COUNT(*) FROM DBA_ROLE_PRIVS WHERE GRANTED_ROLE IN ('DBA', 'DB_AUDIT_ADMIN', 'DB_POLICY_ADMIN');

SELECT 'liandun|row|public|' || REPLACE(OWNER, '|', '/') || '.' || REPLACE(TABLE_NAME, '|', '/') || '|' || PRIVILEGE FROM DBA_TAB_PRIVS
WHERE GRANTEE = 'PUBLIC' AND OWNER NOT IN ('SYS', 'SYSDBA', 'SYSAUDITOR', 'SYSSSO', 'CTISYS');
SELECT 'liandun|count|public|' || COUNT(*) FROM DBA_TAB_PRIVS
WHERE GRANTEE = 'PUBLIC' AND OWNER NOT IN ('SYS', 'SYSDBA', 'SYSAUDITOR', 'SYSSSO', 'CTISYS');

SELECT 'liandun|row|audits|' || COUNT(*) FROM SYSAUDITOR.SYSAUDIT;
SELECT 'liandun|count|audits|' || CASE WHEN COUNT(*) >= 0 THEN 1 END FROM SYSAUDITOR.SYSAUDIT;
SELECT 'liandun|end|dm';
