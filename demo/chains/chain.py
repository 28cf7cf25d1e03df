"""What an attack of the demo is made of: records in order, each with the rules that must fire on it (the ground truth)."""

from __future__ import annotations

from demo.plan import Build, Planned, Route

RULES: dict[str, str] = {
    "office_spawns_shell": "da962bfe-fbcd-4d79-9f9a-6ba238ee0aba",
    "powershell_encoded_command": "a4af1b31-7501-438a-be6d-d4e37efca387",
    "powershell_download_cradle": "e7eb9705-7d94-4991-9f3a-3f0b0d613c03",
    "domain_admin_discovery": "992463b7-b701-4407-b9f6-77e1edd0914d",
    "lsass_dump_comsvcs": "e93e96a9-7779-4a8f-a208-a578bf14d134",
    "lsass_memory_access": "43bed8ae-5bfb-4cba-8311-ead32e58bd71",
    "service_from_user_path": "41be21f1-2db3-4ac4-8183-068229ba5b3b",
    "shell_from_services": "0388b91c-e332-4630-be2e-32d60ca74260",
    "task_from_user_path": "b4c11973-d652-404b-ab53-4b00524e998a",
    "wevtutil_clear_log": "ec68b6de-a3fc-4a5e-a86b-d719d4fb098a",
    "security_log_cleared": "21df0090-64c8-4d66-b1cf-9e34c0002567",
    "web_scanner_agent": "d0c4b264-29b6-4f23-8fe5-dec3416fdd04",
    "web_sql_injection": "ec0f4b81-dd85-438d-a703-3c351696068b",
    "web_path_traversal": "c4a746e9-c771-4cb4-be98-04e8c63e8a81",
    "firewall_port_sweep": "471cee67-4674-429c-b442-58be75d1f38a",
    "sshd_bruteforce": "790e2837-e2c3-4b9a-9d5c-c14729e4d936",
    "sshd_bruteforce_success": "8f23bad5-9227-4931-acc2-d758610e8c63",
    "sudo_root_shell": "4ecf5aab-8781-413d-807f-3b47d5406da7",
    "webshell_script_in_uploads": "f54845a7-a89c-41cb-82cd-3480d3a6fc69",
    "webshell_command_parameter": "ec1430b5-ffdf-46c6-89ec-56c744a2289f",
    "auditd_download_to_tmp": "9a005e84-f833-4353-b3cc-17f656c2eb2e",
    "auditd_archive_staging": "93ae812c-08fe-4c6e-95e3-739b1699031e",
    "dns_long_label": "18447d71-1711-4524-adf5-2e58640a0949",
    "dns_tunnel_volume": "4c51bfa0-bfd0-4175-9def-95533d8a5894",
    "modbus_write": "ca950624-04f8-4794-bd7f-446a03c86bef",
}
"""Short name → id of the rule in rules/sigma. Only the chains' expectations; detection knows nothing of them."""

PACKET_RULES: dict[str, str] = {"liandun_demo_file": "yara", "1000001": "suricata", "1000004": "suricata", "1000009": "suricata"}
"""Expected of the pcap when Suricata is installed: rule → engine."""


LOOT = "203.0.113.66"
"""Where the intruder's server would be (RFC 5737)."""


class Chain:
    """Collects the records of one attack in order; ``wait`` moves its clock."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.records: list[Planned] = []
        self._clock = 0.0
        self._step = ""

    def step(self, name: str, wait: float) -> None:
        """The next step of the attack starts ``wait`` seconds after the last record."""
        self._step = name
        self._clock += wait

    def send(self, route: Route, build: Build, *expects: str, gap: float = 0.4) -> None:
        """One record, and the clock moves on by ``gap`` seconds."""
        unknown = set(expects) - RULES.keys() - PACKET_RULES.keys()
        if unknown:
            raise KeyError(f"no such rule: {sorted(unknown)}")
        self.records.append(Planned(self._clock, route, build, self.name, self._step, expects))
        self._clock += gap
