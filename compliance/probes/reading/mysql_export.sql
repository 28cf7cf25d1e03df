-- Export of the security settings of a MySQL (5.7.6 or later) or MariaDB (10.4 or later) server for Liandun (docs/compliance.md).
-- An account that may read the schema mysql runs it; it changes nothing and prints no hash of a password:
--   mysql --batch --raw --skip-column-names -u root -p < mysql_export.sql > DATABASE.txt
SET SESSION TRANSACTION READ ONLY;
START TRANSACTION;
SELECT 'liandun|begin|mysql|1';
SELECT CONCAT_WS('|', 'liandun', 'row', 'server', REPLACE(VERSION(), '|', '/'), REPLACE(@@version_comment, '|', '/'));
SELECT 'liandun|count|server|1';

SELECT CONCAT_WS('|', 'liandun', 'row', 'variables', LOWER(VARIABLE_NAME), REPLACE(REPLACE(VARIABLE_VALUE, '|', '/'), '\n', ' '))
FROM /*!50706 performance_schema.global_variables */ /*M!100400 information_schema.GLOBAL_VARIABLES */
WHERE LOWER(VARIABLE_NAME) IN (
  'default_password_lifetime', 'interactive_timeout', 'wait_timeout', 'require_secure_transport', 'have_ssl', 'tls_version',
  'general_log', 'local_infile', 'secure_file_priv', 'skip_networking', 'bind_address', 'max_password_errors', 'log_error',
  'validate_password.policy', 'validate_password.length', 'validate_password_policy', 'validate_password_length',
  'simple_password_check_minimal_length', 'simple_password_check_digits', 'simple_password_check_letters_same_case',
  'simple_password_check_other_characters', 'cracklib_password_check_dictionary', 'server_audit_logging', 'server_audit_events',
  'audit_log_policy', 'connection_control_failed_connections_threshold', 'connection_control_min_connection_delay');
SELECT CONCAT_WS('|', 'liandun', 'count', 'variables', COUNT(*))
FROM /*!50706 performance_schema.global_variables */ /*M!100400 information_schema.GLOBAL_VARIABLES */
WHERE LOWER(VARIABLE_NAME) IN (
  'default_password_lifetime', 'interactive_timeout', 'wait_timeout', 'require_secure_transport', 'have_ssl', 'tls_version',
  'general_log', 'local_infile', 'secure_file_priv', 'skip_networking', 'bind_address', 'max_password_errors', 'log_error',
  'validate_password.policy', 'validate_password.length', 'validate_password_policy', 'validate_password_length',
  'simple_password_check_minimal_length', 'simple_password_check_digits', 'simple_password_check_letters_same_case',
  'simple_password_check_other_characters', 'cracklib_password_check_dictionary', 'server_audit_logging', 'server_audit_events',
  'audit_log_policy', 'connection_control_failed_connections_threshold', 'connection_control_min_connection_delay');

SELECT CONCAT_WS('|', 'liandun', 'row', 'accounts', REPLACE(Host, '|', '/'), REPLACE(User, '|', '/'), plugin,
  CASE authentication_string WHEN '' THEN 'none' WHEN 'invalid' THEN 'invalid' ELSE 'set' END,
  Super_priv, Grant_priv, File_priv, IF(ssl_type = '', '-', ssl_type))
FROM mysql.user WHERE Host <> '' ORDER BY Host, User;
SELECT CONCAT_WS('|', 'liandun', 'count', 'accounts', COUNT(*)) FROM mysql.user WHERE Host <> '';

SELECT CONCAT_WS('|', 'liandun', 'row', 'ages', REPLACE(Host, '|', '/'), REPLACE(User, '|', '/'),
  /*!50706 IFNULL(password_lifetime, '-'), account_locked, */
  /*M!100400 IFNULL(JSON_VALUE(Priv, '$.password_lifetime'), '-'), IFNULL(JSON_VALUE(Priv, '$.account_locked'), 'N'), */
  CONCAT('' /*!80019 , IFNULL(User_attributes ->> '$.Password_locking.failed_login_attempts', '') */))
FROM /*!50706 mysql.user */ /*M!100400 mysql.global_priv */ WHERE Host <> '' ORDER BY Host, User;
SELECT CONCAT_WS('|', 'liandun', 'count', 'ages', COUNT(*))
FROM /*!50706 mysql.user */ /*M!100400 mysql.global_priv */ WHERE Host <> '';

SELECT CONCAT_WS('|', 'liandun', 'row', 'plugins', LOWER(PLUGIN_NAME)) FROM information_schema.PLUGINS WHERE PLUGIN_STATUS = 'ACTIVE'
/*!80000 UNION ALL SELECT CONCAT_WS('|', 'liandun', 'row', 'plugins', LOWER(component_urn)) FROM mysql.component */;
SELECT CONCAT_WS('|', 'liandun', 'count', 'plugins',
  (SELECT COUNT(*) FROM information_schema.PLUGINS WHERE PLUGIN_STATUS = 'ACTIVE') /*!80000 + (SELECT COUNT(*) FROM mysql.component) */);

SELECT CONCAT_WS('|', 'liandun', 'row', 'databases', REPLACE(SCHEMA_NAME, '|', '/')) FROM information_schema.SCHEMATA;
SELECT CONCAT_WS('|', 'liandun', 'count', 'databases', COUNT(*)) FROM information_schema.SCHEMATA;
SELECT 'liandun|end|mysql';
ROLLBACK;
