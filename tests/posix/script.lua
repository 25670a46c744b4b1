-- SPDX-License-Identifier: BSD-3-Clause
-- What Lua does with numbers, strings, patterns, files, coroutines, large tables and garbage; run here and on Linux.
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
-- io: modes, seeking, buffers, what can be read; os: names of files.
local name = os.tmpname()
f = assert(io.open(name, "w+"))
print(f:setvbuf("full", 64), f:write("3.5 0x1F -7e2 word\n", "second\n\nlast") == f, f:seek("cur"), f:seek("set"))
print(f:read("n", "n", "n", 1, 2, "l", "L", "l", "a", "a", "l"))
print(f:seek("end"), f:seek("set", 4), f:read(6), f:seek("end", -4), f:read(100), f:read(0), f:close(), pcall(f.read, f))
print(io.type(f), io.type(io.stdout), io.type(3), select(2, pcall(io.lines, "no/such/file")))
for a, b in io.lines(name, 2, "l") do io.write("[", a, "|", tostring(b), "]") end
print()
print(os.rename(name, name .. ".moved"), io.open(name), os.remove(name), os.remove(name .. ".moved"))
f = io.tmpfile()
for i = 1, 5000 do f:write(string.pack("<I4", i * 2654435761 % 2 ^ 32)) end
f:seek("set", 4 * 1233)
print(string.unpack("<I4", f:read(4)), f:seek("end"), f:close())
f = assert(io.open(name, "a"))
f:write("one "); f:flush(); f:seek("set", 0); f:write("two")
f:close()
for line in io.lines(name) do print(line) end
print(os.remove(name), io.open("/", "r"):read(1))
-- Coroutines: errors, closing, passing values both ways, across pcall and metamethods.
local co = coroutine.create(function(...)
	local got = { ... }
	for i = 1, 3 do got[#got + 1] = coroutine.yield(#got, i) end
	local t = setmetatable({}, { __index = function(_, k) return coroutine.yield("index " .. k) end })
	got[#got + 1] = t.key
	print(pcall(function() coroutine.yield("in pcall"); error("thrown", 0) end))
	return table.unpack(got)
end)
for i = 1, 7 do print(coroutine.status(co), coroutine.resume(co, i * 10, i)) end
co = coroutine.create(function() local x <close> = setmetatable({}, { __close = function() print("closed") end }); coroutine.yield() end)
coroutine.resume(co)
print(coroutine.close(co), coroutine.status(co), coroutine.isyieldable(), coroutine.wrap(function() return coroutine.isyieldable() end)())
local ring = {}
for i = 1, 500 do ring[i] = coroutine.wrap(function() local n = i while true do n = n + coroutine.yield(n) end end); ring[i]() end
local total = 0
for round = 1, 20 do for i = 1, 500 do total = total + ring[i](round) end end
print(total)
-- Patterns.
print(("key = value  # note"):match("^(%w+)%s*=%s*(%w+)%s*#?%s*(.-)$"), ("f(a(b)c)d"):match("%b()"), ("THE (quick) fox"):find("%((%a+)%)"))
print(("hello world from Lua"):gsub("(%w+) (%w+)", "%2 %1"), ("abc"):gsub("", "-"), ("$name is $age"):gsub("%$(%w+)", { name = "Lua", age = 30 }))
for k, v in ("a=1, b=2, c=3"):gmatch("(%w+)=(%w+)") do io.write(k, v, " ") end
print(("THE END"):gsub("%f[%a]%a+", function(w) return #w end), ("%d"):rep(3, "%"), pcall(string.rep, "x", -1), ("x"):byte(-1), pcall(string.find, "a", "[a"))
print(string.format("%q %i %5s %-5s| %05.1f %x %X %o %c %a %g", 1 / 3, 42, "ab", "cd", 3.14159, 255, 255, 8, 65, 0.5, 1e20))
-- Large tables, garbage, weak tables, finalizers.
local words, weak, finals = {}, setmetatable({}, { __mode = "k" }), 0
for i = 1, 60000 do words["w" .. i % 977] = (words["w" .. i % 977] or 0) + i end
local keys = {}
for k in pairs(words) do keys[#keys + 1] = k end
table.sort(keys, function(a, b) return words[a] > words[b] or words[a] == words[b] and a < b end)
print(#keys, keys[1], words[keys[1]], keys[977], next({}), table.concat(table.move({ 1, 2, 3 }, 1, 3, 2), ","))
for i = 1, 20000 do
	weak[{}] = i
	if i % 100 == 0 then setmetatable({}, { __gc = function() finals = finals + 1 end }) end
	if i % 5000 == 0 then collectgarbage(i % 10000 == 0 and "generational" or "incremental") end
end
collectgarbage() collectgarbage()
print(next(weak), finals)
local text = {}
for i = 1, 30000 do text[i] = tostring(i) end
text = table.concat(text)
print(#text, text:sub(-5), select(2, text:gsub("7", "")), #text:rep(40), load("return " .. ("1+"):rep(2000) .. "1")())
print(pcall(function() local function deep(n) return n == 0 and 0 or 1 + deep(n - 1) end return deep(15000) end))
print(select(2, pcall(function() local function down() return down() + 1 end return down() end)):match("stack overflow"))
print(math.tointeger(2 ^ 53), math.type(1), math.ult(-1, 1), 7 // 0.0, -7 // 2, 1 << 63, 5 & 6 | 1 ~ 3, "10" + 5, 10 // 3 .. "", math.fmod(-7, 3))
