"""The rules that attacks must make fire: the other half of the ground truth. Detection knows nothing of it."""

from __future__ import annotations

import msgspec


class Expected(msgspec.Struct, frozen=True):
    """A rule by its id as alerts have it.

    needs   ``suricata``: only where Suricata is installed (the record is a pcap)
    counts  it counts records or is told once in a while: it may fire on an earlier or later record of the same attack
    """

    id: str
    engine: str
    needs: str = ""
    counts: bool = False


def _sigma(rule_id: str) -> Expected:
    return Expected(rule_id, "sigma")


def _counting(rule_id: str) -> Expected:
    return Expected(rule_id, "correlation", counts=True)


def _zone(rule_id: str) -> Expected:
    return Expected(rule_id, "zone", counts=True)


def _packets(number: int) -> Expected:
    return Expected(f"suricata:1:{number}", "suricata", "suricata", counts=True)


RULES: dict[str, Expected] = {
    # the intruder's programs and logs on Windows
    "office_spawns_shell": _sigma("da962bfe-fbcd-4d79-9f9a-6ba238ee0aba"),
    "powershell_encoded_command": _sigma("a4af1b31-7501-438a-be6d-d4e37efca387"),
    "powershell_download_cradle": _sigma("e7eb9705-7d94-4991-9f3a-3f0b0d613c03"),
    "domain_admin_discovery": _sigma("992463b7-b701-4407-b9f6-77e1edd0914d"),
    "lsass_dump_comsvcs": _sigma("e93e96a9-7779-4a8f-a208-a578bf14d134"),
    "lsass_memory_access": _sigma("43bed8ae-5bfb-4cba-8311-ead32e58bd71"),
    "service_from_user_path": _sigma("41be21f1-2db3-4ac4-8183-068229ba5b3b"),
    "shell_from_services": _sigma("0388b91c-e332-4630-be2e-32d60ca74260"),
    "task_from_user_path": _sigma("b4c11973-d652-404b-ab53-4b00524e998a"),
    "wevtutil_clear_log": _sigma("ec68b6de-a3fc-4a5e-a86b-d719d4fb098a"),
    "security_log_cleared": _sigma("21df0090-64c8-4d66-b1cf-9e34c0002567"),
    # on Linux
    "sshd_bruteforce": _counting("790e2837-e2c3-4b9a-9d5c-c14729e4d936"),
    "sshd_bruteforce_success": _counting("8f23bad5-9227-4931-acc2-d758610e8c63"),
    "sudo_root_shell": _sigma("4ecf5aab-8781-413d-807f-3b47d5406da7"),
    "auditd_download_to_tmp": _sigma("9a005e84-f833-4353-b3cc-17f656c2eb2e"),
    "auditd_log_tamper": _sigma("46a65c04-2ef8-44bd-a6c2-cbbddca71ef8"),
    "auditd_archive_staging": _sigma("93ae812c-08fe-4c6e-95e3-739b1699031e"),
    # against the portal
    "web_scanner_agent": _sigma("d0c4b264-29b6-4f23-8fe5-dec3416fdd04"),
    "web_sql_injection": _sigma("ec0f4b81-dd85-438d-a703-3c351696068b"),
    "web_path_traversal": _sigma("c4a746e9-c771-4cb4-be98-04e8c63e8a81"),
    "webshell_script_in_uploads": _sigma("f54845a7-a89c-41cb-82cd-3480d3a6fc69"),
    "webshell_command_parameter": _sigma("ec1430b5-ffdf-46c6-89ec-56c744a2289f"),
    # in databases, clouds and on the bastion
    "database_bulk_export": _sigma("449e91da-7127-4074-ae62-c3f61b3e2535"),
    "database_dumped": _sigma("46e56246-0d9f-405e-bba4-221b75d8c59e"),
    "container_escape_command": _sigma("94a6ad7d-7c55-4c38-b487-998dc82e6232"),
    "bastion_dangerous_command": _sigma("ae128bcb-6176-4c02-a68a-eaa054c8ffb4"),
    "audit_switched_off": _sigma("85b00e7c-2933-4d97-99bd-125f8aed6908"),
    "pod_takes_node": _sigma("77eb03a0-e8d5-4889-a3d6-442aa21eb531"),
    # on the network
    "firewall_port_sweep": _counting("471cee67-4674-429c-b442-58be75d1f38a"),
    "dns_long_label": _sigma("18447d71-1711-4524-adf5-2e58640a0949"),
    "dns_mining_pool": _sigma("9a86d924-2cc7-44ec-88eb-a91b4717b57d"),
    "dns_tunnel_volume": _counting("4c51bfa0-bfd0-4175-9def-95533d8a5894"),
    # against controllers
    "modbus_write": _sigma("ca950624-04f8-4794-bd7f-446a03c86bef"),
    "modbus_write_many": _counting("020b5375-841a-46b3-8d3d-59952e8883ed"),
    "modbus_many_devices": _counting("dadc9861-90b6-42f6-99c7-dd05e81c89c5"),
    # across boundaries
    "crossing_denied": _zone("zone-crossing-denied"),
    "conduit_expired": _zone("zone-conduit-expired"),
    "illegal_outbound": _zone("zone-illegal-outbound"),
    "unknown_device": _zone("zone-unknown-device"),
    "management_access": _zone("zone-management-access"),
    "address_conflict": _zone("zone-address-conflict"),
    "ot_protocol_from_outside": _sigma("04108656-3b40-4cc1-a9b4-02744657e6e2"),
    "management_into_ot": _sigma("50d5de14-9bc4-410c-bb12-4de5b95e00da"),
    "perception_into_data_platform": _sigma("2607f948-9171-4057-8e3e-df1e1fab7fe7"),
    "volume_to_internet": _counting("e17a8c38-7a44-4fb6-ae58-1cedbb8c644e"),
    "database_from_wrong_zone": _sigma("0d63ab2f-bb27-4b14-8dc5-e6ea99622825"),
    "internet_to_management": _sigma("4f17503f-8d57-458c-8fb2-ed3b46272ef7"),
    # in the pcaps
    "script_from_bare_address": _packets(1_000_001),
    "modbus_write_on_wire": _packets(1_000_004),
    "telnet_login_prompt": _packets(1_000_007),
    "telnet_default_password": _packets(1_000_026),
    "s7_stop_on_wire": _packets(1_000_013),
    "rtsp_refused_on_wire": _packets(1_000_023),
    "miner_on_wire": _packets(1_000_045),
    "demo_file_on_wire": _packets(1_000_009),
    "demo_file": Expected("yara:tools:liandun_demo_file", "yara", "suricata", counts=True),
}
"""Short name → rule."""
