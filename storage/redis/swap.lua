-- Replaces or removes the value of KEYS[1] if it is what the caller saw.
-- ARGV: "holds", old  or  "missing", "";  then "keep", new  or  "set", new, milliseconds  or  "remove"
-- Answers an empty list when it is done, and otherwise a list of the one value that is there instead, or of nil.
local actual = redis.call('GET', KEYS[1])
local seen = ARGV[1] == 'holds' and ARGV[2]
if actual ~= seen then
  return {actual}
end
if ARGV[3] == 'remove' then
  redis.call('DEL', KEYS[1])
elseif ARGV[3] == 'keep' then
  redis.call('SET', KEYS[1], ARGV[4], 'KEEPTTL')
else
  redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[5])
end
return {}
