/** Public keys that nobody has the other half of. */
export const rose =
  'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKIeGYHqgTP8h6DINz/hQs8EuUHc97NSRWnkVGHEISFC rose@laptop'
export const ivy =
  'ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBCtIWK0lgwaCnsVZpzapNoZXbMXB1n+hBDdPTCMlyxBMnco31z7fhhf1HFmR2Vc03f+8qj+76+XoJXy4f77AN+c= ivy@laptop'
export const old =
  'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINJ4bFMolyKep7+vCVuyM5aQSrF2gpPTWHnwoQxpDpKW old@laptop'
