-- Replaces or removes the value of KEYS[1] if it is what the caller saw.
-- ARGV: old;  then "keep", new  or  "set", new, milliseconds  or  "remove"
-- Answers an empty list when it is done, and otherwise a list of the one value that is there instead, or of nil.
local actual = redis.call('GET', KEYS[1])
if actual ~= ARGV[1] then
  return {actual}
end
if ARGV[2] == 'remove' then
  redis.call('DEL', KEYS[1])
elseif ARGV[2] == 'keep' then
  redis.call('SET', KEYS[1], ARGV[3], 'KEEPTTL')
else
  redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
end
return {}
