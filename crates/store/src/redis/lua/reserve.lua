-- KEYS: count of live entries. ARGV: now, end, time to live (all ms), ceiling. 0 reserved, 2 full.
if take_place(KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[4]), tonumber(ARGV[3])) then
  return 0
end
return 2
