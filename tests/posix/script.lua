-- SPDX-License-Identifier: BSD-3-Clause
-- What Lua does with numbers, strings, files and coroutines; run here and on Linux.
print(_VERSION, 7 // 2, 7 % -3, 2 ^ 0.5, 1 / 3, math.maxinteger, 1e308 * 10)
print(string.format("%5.2f|%-8s|%08.3e|%q", math.pi, "left", 12345.678, "quo\"te"))
local t = {}
for i = 1, 1000 do t[i] = (i * 7919) % 1009 end
table.sort(t)
print(t[1], t[500], t[1000], #t, table.concat(t, ",", 1, 5))
local f = assert(io.open("lua-file", "w"))
for i = 1, 100 do f:write("line ", i, "\n") end
f:close()
local n, sum = 0, 0
for line in io.lines("lua-file") do n = n + 1; sum = sum + tonumber(line:match("%d+")) end
print(n, sum, os.remove("lua-file"), io.open("lua-file"))
local function squares(k) return coroutine.wrap(function() for i = 1, k do coroutine.yield(i * i) end end) end
for s in squares(5) do io.write(s, " ") end
print()
print(pcall(error, { code = 3 }), select("#", pcall(error)), pcall(function() return #5 end))
print(("the quick brown fox"):gsub("%w+", string.upper), ("x"):rep(3, "-"), utf8.char(252, 8364), utf8.len("ü€"))
local big = {}
for i = 1, 200000 do big[i] = { i } end
big = nil
collectgarbage()
print(collectgarbage("count") < 20000, os.getenv("NOT_SET"), os.time { year = 2000, month = 1, day = 1, hour = 12 })
local p = assert(io.popen("echo from a shell; exit 3"))
print(p:read("a"), p:close())
print(os.execute("exit 4"))
