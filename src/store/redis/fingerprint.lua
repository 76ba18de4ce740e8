-- What tells a key from the same key written again: of a small one all it holds, of a large one its type, its sizes, its ends
-- and when it was last used. Looking at all of a large one would keep the server for as long as it is large.
local function small(key)
  return redis.sha1hex(redis.call('DUMP', key))
end

local sizes = { string = 'STRLEN', list = 'LLEN', set = 'SCARD', hash = 'HLEN', zset = 'ZCARD', stream = 'XLEN' }
local function large(key, bytes)
  local kind = redis.call('TYPE', key).ok
  local size, ends = '', ''
  if sizes[kind] then size = redis.call(sizes[kind], key) end
  if kind == 'string' then
    ends = redis.sha1hex(redis.call('GETRANGE', key, 0, 255) .. redis.call('GETRANGE', key, -256, -1))
  end
  return kind .. ' ' .. bytes .. ' ' .. size .. ' ' .. ends
end

-- The second it was last used; the server's own clock for this is a second wide. None where uses are counted instead.
local function used(key)
  local idle = redis.pcall('OBJECT', 'IDLETIME', key)
  if type(idle) ~= 'number' then return nil end
  return tonumber(redis.call('TIME')[1]) - idle
end

local function mark(key)
  local bytes = redis.call('MEMORY', 'USAGE', key)
  if not bytes then return 'gone' end
  if bytes <= 4096 then return small(key) end
  -- In this order: before Redis 7.2 looking at its ends is a use of it.
  local what = large(key, bytes)
  return what .. '@' .. (used(key) or '')
end

local function is_same(key, was)
  local what, when = string.match(was, '^(.*)@(%d*)$')
  if not what then return mark(key) == was end
  local bytes = redis.call('MEMORY', 'USAGE', key)
  if not bytes or bytes <= 4096 then return false end
  local used = used(key)
  if when ~= '' and used and used > tonumber(when) + 2 then return false end
  return large(key, bytes) == what
end
