-- Looks at each key again and changes it only if it is still as it was when it was found due.
-- Five arguments a key: what to do (`expire` or `unlink`), milliseconds (those it gets to live; or those it may have left at most, nothing
-- where that does not matter), what must still be so, its bound, its mark.
-- Gives 1 for done, 2 for kept since it is not as it was, 3 where it has the time to live already that it was to get, 0 for gone.
local function is_still(key, left, what, bound)
  if what == 'none' then return left == -1 end
  if what == 'longer' then return left > tonumber(bound) end
  if what == 'idle' then
    local idle = redis.call('OBJECT', 'IDLETIME', key)
    return idle and idle >= tonumber(bound)
  end
  if what == 'value' then return redis.pcall('GETRANGE', key, 0, 255) == bound end
  return what == 'there'
end

-- A time to live only ever grows by a write: one that has longer to live than before was written meanwhile.
local function is_longer(left, most)
  if not most then return false end
  if most == -1 then return left ~= -1 end
  return left == -1 or left > most
end

local done = {}
for at, key in ipairs(KEYS) do
  local act, time, what, bound, was = unpack(ARGV, at * 5 - 4, at * 5)
  local left = redis.call('PTTL', key)
  if left == -2 then
    done[at] = 0
  elseif act == 'expire' and left >= 0 and left <= tonumber(time) then
    done[at] = 3
  elseif not is_still(key, left, what, bound) or (was ~= '' and not is_same(key, was)) then
    done[at] = 2
  elseif act == 'unlink' and is_longer(left, tonumber(time)) then
    done[at] = 2
  elseif act == 'expire' then
    done[at] = redis.call('PEXPIRE', key, time)
  elseif act == 'unlink' then
    done[at] = redis.call('UNLINK', key)
  end
end
return done
