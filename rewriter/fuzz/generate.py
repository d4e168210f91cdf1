# SPDX-License-Identifier: BSD-3-Clause
"""Makes small programs that use zones and object caches in random legal shapes.

A program is a header, two units full of sites, and a unit without any that
tells the driver what there is (see pool.h).  It consists of *parts*: its pools,
and the functions that use them, one shape each.  Parts are numbered; a program
can be made again without some of them, which is how a failure is shrunk.  Each
part draws from a generator of its own, so that the others stay as they were.

What the functions look like is in shapes.py, what their pools are is here.
Every call of the API that a program contains was written by api(), which counts
it.  What a program may do with its objects is bound by what is defined for both
allocators: see driver.c.
"""

import random

from shapes import PLAIN_PUTS, Shapes, block, shapes

NAMES = ["FOO", "PV ENTRY", "MAP ENTRY", "a-b.c", "swap meta", "9lives", "foo",
         "Some long descriptive name of a zone", "x", "zone", "M_TEMP", "int"]
# What the programs are built without and with.
OPTION = "FUZZ_OPTION"
MEMORY = {"M_WAITOK": False, "M_INTWAIT": False, "M_SYSWAIT": False,
          "M_NOWAIT": True, "M_INTNOWAIT": True, "M_WAITOK | M_NULLOK": True,
          "(M_INTWAIT | M_NULLOK)": True}


class Pool:
    def __init__(self, program, number, rng):
        self.program, self.rng = program, rng
        self.letter = "abcdefgh"[number]
        self.name = "%s_%s" % (program.name, self.letter)
        self.member = "pool_%s" % self.name
        self.unit = rng.randrange(2)
        self.is_zone = rng.random() < 0.55
        self.words = rng.choice([3, 4, 7, 8, 15, 16, 20, 40])
        self.storage = rng.choice(["static"] * 4 + ["extern"] * 3
                                  + ["field", "field", "pointer", "source"])
        self.early = rng.random() < 0.8    # struct is in the header
        self.flags = set()
        self.pooled = False
        if self.is_zone:
            self.zone(rng)
        else:
            self.cache(rng)
        # Declared, and freed to, above what its objects are.
        self.above = None
        own = random.Random("%d/%d" % (program.seed, number))
        if own.random() < 0.25 and not self.pooled \
                and self.storage in ("static", "extern", "source") \
                and self.create not in ("store", "array", "kmem"):
            self.above = self.home()

    # What is chosen.

    def zone(self, rng):
        self.type = "vm_zone_t"
        if rng.random() < 0.2:
            self.words = 1024
        self.zone_flags = rng.choice(
            ["0", "0", "0", "ZONE_INTERRUPT", "ZONE_INTERRUPT",
             "ZONE_INTERRUPT", "ZONE_SPECIAL", "ZONE_USE_RESERVE",
             "ZONE_USE_RESERVE | ZONE_SPECIAL",
             "ZONE_INTERRUPT | ZONE_PANICFAIL"])
        interrupt = "INTERRUPT" in self.zone_flags
        panics = "PANICFAIL" in self.zone_flags
        self.create = rng.choice(["plain", "plain", "dead", "test", "guard",
                                  "retry", "branches", "destroy", "store",
                                  "array", "kmem", "assert"])
        if self.create in ("store", "array", "kmem"):
            self.storage = "static"
        if interrupt and self.create == "destroy":
            self.create = "plain"
        self.nullable = interrupt and not panics
        self.flags |= {"POOL_ZONE", "POOL_ZERO"}
        if self.nullable:
            self.flags.add("POOL_SPIN")
        if panics:
            self.flags.add("POOL_PANICS")
        if self.create == "destroy":
            self.flags.add("POOL_AGAIN")
        if self.create == "guard":
            self.flags.add("POOL_TWICE")
        large = panics or self.create in ("array", "kmem")
        self.count = rng.choice([64, 100, 200]) if large else \
            rng.choice([4, 6, 9, 100])
        self.count_form = rng.choice(["number", "macro", "variable", "product",
                                      "option"])

    def cache(self, rng):
        self.type = "struct objcache *"
        self.create = rng.choice(["simple"] * 3 + ["mbacked"] * 5
                                 + ["args"] * 4 + ["zero", "zero",
                                                   "backend", "linear"])
        self.pooled = rng.random() < 0.1
        if self.pooled:
            self.create, self.storage, self.early = "simple", "static", True
        self.args = rng.choice(["positional", "designated", "assigned"])
        self.around = rng.choice(["", "", "", "dead", "guard", "assert"])
        self.malloc = rng.choice(["static", "global", "header", "kmalloc",
                                  "shared"])
        full = self.create in ("mbacked", "args")
        self.ctor = full and rng.random() < 0.5
        self.dtor = self.ctor and rng.random() < 0.8
        self.fails = self.ctor and rng.random() < 0.3
        self.private = rng.choice(["NULL", "&%s_priv" % self.name])
        self.get_flags = rng.choice(list(MEMORY))
        if self.fails and not MEMORY[self.get_flags]:
            self.get_flags = "M_NOWAIT"
        if self.create == "linear":
            self.get_flags = "M_WAITOK"
        self.nullable = MEMORY[self.get_flags]
        self.limit = 0
        if full and rng.random() < 0.4:
            self.limit = rng.choice([4, 7] if self.nullable else [12, 30])
        self.tuned = self.create in ("simple", "mbacked", "args") \
            and rng.random() < 0.2
        self.destroy = rng.choice(["", "plain", "guard"]) \
            if self.create != "linear" else ""
        if self.create == "zero":
            self.flags.add("POOL_ZERO")
        if self.ctor:
            self.flags.add("POOL_CTOR")
        if self.ctor or self.limit or self.tuned:
            self.flags.add("POOL_EXACT")
        if self.around == "guard" and self.destroy != "plain" \
                and not self.pooled:
            self.flags.add("POOL_TWICE")

    # How it is spelled.

    @property
    def struct(self):
        return "struct %s_obj" % self.name

    @property
    def visible(self):
        """Other units see it."""
        return self.storage in ("extern", "source", "field", "pointer")

    def home(self):
        return self.program.units[self.unit]

    def spelled(self, rng=None):
        """The zone or cache as an expression, and what it needs before."""
        soft = "%s_soft" % self.name
        if self.storage == "field":
            which = rng.randrange(3) if rng else 0
            return [soft + "0." + self.member,
                    "(&%s0)->%s" % (soft, self.member),
                    soft + "_of(0)->" + self.member][which]
        if self.storage == "pointer":
            return "sc->" + self.member
        return self.name

    def before(self):
        if self.storage == "pointer":
            soft = "%s_soft" % self.name
            return "    struct %s *sc = &%s0;\n" % (soft, soft)
        return ""

    def size(self):
        form = self.rng.choice(["sizeof(%s)", "sizeof(%s)", "sizeof (%s)",
                                "macro", "number", "object", "typedef"])
        if form == "typedef":
            where = self.program.header if self.early else self.home()
            where.types.append("typedef %s %s_t;\n" % (self.struct, self.name))
            return "sizeof(%s_t)" % self.name
        if form == "macro":
            macro = self.name.upper() + "_SIZE"
            where = self.program.header if self.early else self.home()
            where.late.append("#define\t%s\tsizeof(%s)" % (macro, self.struct))
            return macro
        if form == "number":
            return str(8 * self.words)
        if form == "object":
            self.home().data.append("%s *%s_last;"
                                    % (self.struct, self.name))
            return "sizeof(*%s_last)" % self.name
        return form % self.struct

    def declare(self):
        home, header = self.home(), self.program.header
        layout = block("%s {\n    long w[%d];\n};" % (self.struct, self.words))
        if self.early or self.visible:
            self.early = True
            header.types.append(layout)
        else:
            home.types.append(layout)
        if self.pooled:
            return self.declare_by_macro()
        star = self.type + ("" if self.type.endswith("*") else " ")
        name = self.name
        if self.storage in ("field", "pointer"):
            soft = "%s_soft" % name
            header.types.append(block(
                "struct %s {\n    int unit;\n    %s%s;\n    long pad;\n};"
                % (soft, star, self.member)))
            header.data.append("extern struct %s %s0;" % (soft, soft))
            header.need(soft + "_of", block(
                "static __inline struct %s *\n%s_of(int n)\n{\n"
                "    return (&%s0 + n);\n}" % (soft, soft, soft)))
            home.data.append("struct %s %s0;" % (soft, soft))
            return
        static = "static " if self.storage == "static" else ""
        init = self.rng.choice(["", "", "", " = NULL"])
        where = self.rng.choice(["", "", " __read_mostly"])
        if self.is_zone and self.create in ("store", "array", "kmem"):
            home.data.append("static struct vm_zone %s_store;" % name)
            if self.rng.random() < 0.5:
                init, self.assigned = " = &%s_store" % name, False
            else:
                init, self.assigned = "", True
        line = "%s%s%s%s%s;" % (static, star, name, where, init)
        before = home.data[-1] if home.data else ""
        if self.above:
            home.above.append(line)
        elif before.startswith(static + star) and self.rng.random() < 0.5 \
                and not where and static:
            home.data[-1] = "%s, %s%s%s;" % (
                before[:-1], "*" if star.endswith("*") else "", name, init)
        else:
            home.data.append(line)
        if self.storage == "extern":
            header.data.append("extern %s%s;" % (star, name))
        elif self.storage == "source":
            other = self.program.units[1 - self.unit]
            other.data.append("extern %s%s;" % (star, name))

    def declare_by_macro(self):
        """Variable, malloc type and the function that creates it."""
        home = self.home()
        macro = home.name.upper() + "_POOL"
        home.macro(macro, lambda: "\t\\\n".join([
            "#define\t%s(p, size, w)" % macro, "MALLOC_DEFINE(M_##p, w, w);",
            "struct objcache *p;", "void", "p##_init(void)", "{",
            "\tp = %s(M_##p, size);" % self.program.api(
                "objcache_create_simple"), "}", "struct p##_end"]))
        home.functions.append('%s(%s, %s, "%s");\n' % (
            macro, self.name, self.size(), self.rng.choice(NAMES)))
        self.program.prototype("void\t%s_init(void);" % self.name)

    # The functions that make it and unmake it.

    def make(self):
        if self.pooled:
            return
        if self.visible and self.rng.random() < 0.3:
            self.unit = 1 - self.unit       # not where it is defined
        if self.is_zone:
            body = self.make_zone()
        else:
            body = self.make_cache()
        before = self.before()
        if self.is_zone and self.create == "retry":
            before += "    long left = %d;\n" % self.count
        self.home().functions.append(block(
            "void\n%s_init(void)\n{\n%s%s}" % (
                self.name, self.locals(before), body)))
        self.program.prototype("void\t%s_init(void);" % self.name)
        if self.rng.random() < 0.2:
            self.home().functions.append(
                "SYSINIT(%s, SI_SUB_CONFIGURE, SI_ORDER_ANY, %s_init, NULL);\n"
                % (self.name, self.name))

    @staticmethod
    def locals(text):
        return text + "\n" if text else ""

    def counted(self):
        n = self.count
        if self.count_form == "macro":
            macro = self.name.upper() + "_MAX"
            self.home().late.append("#define\t%s\t%d" % (macro, n))
            return macro
        if self.count_form == "option":
            macro = self.name.upper() + "_MAX"
            self.home().late.append(
                "#ifdef %s\n#define\t%s\t%d\n#else\n#define\t%s\t%d\n#endif"
                % (OPTION, macro, n + 8, macro, n))
            return macro
        if self.count_form == "variable":
            self.home().data.append("long %s_max = %d;" % (self.name, n))
            return self.name + "_max"
        if self.count_form == "product":
            return "%d + %d" % (n - 2, 2)
        return str(n)

    def never(self):
        """What is before a statement that is not to be reached: the head of an
        if without braces, with something between the two; in some programs only
        under the option."""
        head = "    if (ncpus > 1000)" + self.rng.choice(
            ["", " // not here", " /* not here */", " // not \\\n        here",
             "\n        // nor here", " /* not\n        here */"]) + "\n    "
        if self.rng.random() < 0.3:
            return "#ifdef %s\n%s\n#endif\n    " % (OPTION, head.rstrip())
        return head

    def make_zone(self):
        api, z, rng = self.program.api, self.spelled(self.rng), self.rng
        name = '"%s"' % rng.choice(NAMES)
        size, count, flags = self.size(), self.counted(), self.zone_flags
        if self.create == "destroy":
            flags = "ZONE_DESTROYABLE" if flags == "0" else \
                flags + " | ZONE_DESTROYABLE"

        def zinit(count=count):
            return "%s(%s, %s, %s,%s%s)" % (
                api("zinit"), name, size, count,
                rng.choice([" ", "\n        "]), flags)
        if self.create in ("store", "array", "kmem"):
            return self.make_store(z, name, size, count, flags)
        if self.create == "dead":
            then = rng.choice(['panic("no zone");', "return;"])
            test = rng.choice(["%s == NULL", "!%s", "NULL == %s"]) % z
            return ("    %s = %s;\n    if (%s)\n        %s\n"
                    % (z, zinit(), test, then))
        if self.create == "test":
            return ("    if ((%s = %s) == NULL)\n        panic(\"no zone\");\n"
                    % (z, zinit()))
        if self.create == "guard":
            braces = rng.random() < 0.5
            aside = rng.choice(["", "", " // once", " /* once */"])
            return "    if (%s == NULL)%s%s\n        %s = %s;\n%s" % (
                z, " {" if braces else "", aside, z, zinit(),
                "    }\n" * braces)
        if self.create == "retry":
            left = "left"
            return ("    do {\n        %s = %s;\n        if (%s != NULL)\n"
                    "            break;\n        %s -= (%s + 2) / 3;\n"
                    "    } while (%s > 0);\n    KKASSERT(%s > 0);\n"
                    % (z, zinit(left), z, left, left, left, left))
        if self.create == "branches":
            return ("    if (ncpus > 1)\n        %s = %s;\n    else\n"
                    "        %s = %s;\n" % (z, zinit(), z, zinit()))
        if self.create == "assert":
            return ("    %s = %s;\n    KASSERT(%s != NULL, (\"no %s\"));\n"
                    % (z, zinit(), z, self.name))
        return "    %s = %s;\n" % (z, zinit())

    def make_store(self, z, name, size, count, flags):
        api, home = self.program.api, self.home()
        text = ""
        if self.assigned:
            text += "    %s = &%s_store;\n" % (z, self.name)
        if self.create == "store":
            return text + "    %s(%s, %s, %s, %s, %s);\n" % (
                api("zinitna"), z, name, size, count, flags)
        if self.create == "array":
            home.data.append("static %s %s_first[16];"
                             % (self.struct, self.name))
            text += "    %s(%s, %s, %s,\n        %s_first, 16);\n" % (
                api("zbootinit"), z, name, size, self.name)
        else:
            home.data.append("static %s *%s_first;" % (self.struct, self.name))
            home.data.append("long %s_n = 20;" % self.name)
            text += ("    %s_first = (void *)kmem_alloc(kernel_map,\n"
                     "        %s_n * %s, VM_SUBSYS_PVENTRY);\n"
                     "    %s(%s, %s, %s, %s_first, %s_n);\n") % (
                self.name, self.name, size, api("zbootinit"), z, name, size,
                self.name, self.name)
        if flags != "0" and self.rng.random() < 0.3:
            head = self.never() if self.rng.random() < 0.6 else ""
            text += "%s    %s.zflags |= %s;\n" % (
                head, self.name + "_store", flags)
        return text + "    %s(%s, NULL, 0, %s, %s);\n" % (
            api("zinitna"), z, count, flags)

    def malloc_type(self):
        program, home = self.program, self.home()
        if self.malloc == "shared":
            m = "M_%s_SHARED" % program.name.upper()
            if not program.shared:
                program.shared = True
                program.units[0].mallocs.append(
                    'MALLOC_DEFINE(%s, "shared", "of several");' % m)
                program.header.data.append("MALLOC_DECLARE(%s);" % m)
            return m
        m = "M_%s" % self.name.upper()
        static = "static " if self.malloc in ("static", "kmalloc") else ""
        home.mallocs.append('%sMALLOC_DEFINE(%s, "%s", "objects of %s");'
                            % (static, m, self.name, self.name))
        if self.malloc == "header":
            program.header.data.append("MALLOC_DECLARE(%s);" % m)
        if self.malloc == "kmalloc":
            home.functions.append(block("""
void
%s_other(int n)
{
    char *buf;

    buf = kmalloc(n, %s, M_WAITOK | M_ZERO);
    buf[0] = 1;
    kfree(buf, %s);
}""" % (self.name, m, m)))
            program.prototype("void\t%s_other(int n);" % self.name)
        return m

    def constructors(self):
        """Their names, for the creation."""
        if not self.ctor:
            return "NULL", "NULL", "NULL"
        name, home = self.name, self.home()
        fails = "    if (++calls % 4 == 0)\n        return (false);\n" \
            if self.fails else "    ++calls;\n"
        home.functions.append(block("""
static bool
%s_ctor(void *obj, void *privdata, int ocflags)
{
    static int calls;
    %s *p = obj;

    trace("    ctor %s %%d", privdata != NULL ? *(int *)privdata : 0);
%s    p->w[0] = calls;
    p->w[1] = ~calls;
    return (true);
}""" % (name, self.struct, name, fails)))
        if self.dtor:
            home.functions.append(block("""
static void
%s_dtor(void *obj, void *privdata)
{
    %s *p = obj;

    trace("    dtor %s %%ld", p->w[0]);
    pool_forget(obj);
}""" % (name, self.struct, name)))
        if self.private != "NULL":
            home.data.append("int %s_priv = %d;" % (name, self.words))
        return name + "_ctor", name + "_dtor" if self.dtor else "NULL", \
            self.private

    def make_cache(self):
        api, oc, rng, home = self.program.api, self.spelled(self.rng), \
            self.rng, self.home()
        m, size, limit = self.malloc_type(), self.size(), str(self.limit)
        if self.create == "simple":
            call = "%s(%s, %s)" % (api("objcache_create_simple"), m, size)
        elif self.create == "mbacked":
            call = "%s(%s, %s,\n        %s, %d, %s, %s, %s)" % (
                (api("objcache_create_mbacked"), m, size, limit,
                 rng.choice([0, 16])) + self.constructors())
        else:
            call = self.make_over(m, size, limit)
        text = ""
        if self.create not in ("simple", "mbacked") \
                and self.args == "assigned" and self.create != "backend":
            text = ("    %s_args.objsize = %s;\n    %s_args.mtype = %s;\n"
                    % (self.name, size, self.name, m))
        if self.around == "guard":
            text += "    if (%s == NULL) {\n        %s = %s;\n    }\n" % (
                oc, oc, call)
        else:
            text += "    %s = %s;\n" % (oc, call)
        if self.around == "dead":
            text += ("    if (%s == NULL)\n        panic(\"no cache\");\n" % oc)
        elif self.around == "assert":
            text += "    KKASSERT(%s != NULL);\n" % oc
        if self.create == "linear":
            home.data.append("static %s %s_all[16];" % (self.struct, self.name))
            text += "    %s(%s, %s_all, 16,\n        sizeof(%s));\n" % (
                api("objcache_populate_linear"), oc, self.name, self.struct)
        return text

    def make_over(self, m, size, limit):
        name, home = self.name, self.home()
        back = "objcache_malloc_alloc"
        free = "objcache_malloc_free"
        args = "&%s_args" % name
        if self.create == "backend":
            back, free, args = name + "_back", name + "_unback", "NULL"
            home.functions.append(block("""
static void *
%s(void *allocator_args, int ocflags)
{
    return (kmalloc(sizeof(%s), %s, ocflags));
}

static void
%s(void *obj, void *allocator_args)
{
    kfree(obj, %s);
}""" % (back, self.struct, m, free, m)))
        else:
            if self.create == "zero":
                back += "_zero"
            init = {"positional": " = {\n    %s, %s\n}" % (size, m),
                    "designated": " = {\n    .objsize = %s,\n    .mtype = %s,\n}"
                    % (size, m), "assigned": ""}[self.args]
            home.data.append(block("static struct objcache_malloc_args %s_args"
                                   "%s;" % (name, init)).rstrip("\n"))
        return "%s(\"%s\", %s, 0,\n        %s, %s, %s, %s, %s, %s)" % (
            (self.program.api("objcache_create"), self.rng.choice(NAMES), limit)
            + self.constructors() + (back, free, args))

    def unmake(self):
        """Destruction and the like; fills in the driver's table."""
        api, z = self.program.api, self.spelled(self.rng)
        table = {}

        def function(key, body, result="void", args="void"):
            name = "%s_%s" % (self.name, key)
            self.home().functions.append(block(
                "%s\n%s(%s)\n{\n%s%s}" % (result, name, args,
                                          self.locals(self.before()), body)))
            tab = "" if result.endswith("*") else "\t"
            self.program.prototype("%s%s%s(%s);" % (result, tab, name, args))
            table[key] = name
        if self.is_zone:
            if self.create == "destroy":
                clear = "    %s = NULL;\n" % z
                function("fini", "    %s(%s);\n%s" % (
                    api("zdestroy"), z, clear * (self.rng.random() < 0.3)))
            return table
        if self.destroy == "guard":
            function("fini", "    if (%s != NULL) {\n        %s(%s);\n"
                     "        %s = NULL;\n    }\n"
                     % (z, api("objcache_destroy"), z, z))
        elif self.destroy:
            function("fini", "    %s(%s);\n" % (api("objcache_destroy"), z))
        if self.rng.random() < 0.5 and self.create != "linear":
            function("drop", "    %s(%s, obj);\n" % (api("objcache_dtor"), z),
                     args="void *obj")
        if self.tuned:
            function("tune", "    %s(%s, %d);\n" % (
                api("objcache_set_cluster_limit"), z, self.limit + 12))
        if self.dtor and self.rng.random() < 0.4:
            if self.rng.random() < 0.5:
                lines = "    struct objcache *list[] = { %s };\n\n" % z
            else:
                lines = "    struct objcache *list[1];\n\n    list[0] = %s;\n" \
                    % z
            name = "%s_reclaim" % self.name
            self.home().functions.append(block(
                "int\n%s(void)\n{\n%s%s    return (%s(list, 1));\n}" % (
                    name, self.before(), lines, api("objcache_reclaimlist"))))
            self.program.prototype("int\t%s(void);" % name)
            table["reclaim"] = name
        return table


class File:
    def __init__(self, name):
        self.name = name
        self.above, self.functions_above = [], []
        self.types, self.data, self.mallocs = [], [], []
        self.late, self.macros, self.helpers = [], {}, {}
        self.functions = []

    def need(self, key, text):
        if key not in self.helpers:
            self.helpers[key] = text() if callable(text) else text

    def macro(self, name, text, wanted=True):
        if wanted and name not in self.macros:
            self.macros[name] = text()

    def text(self, top):
        """Empty parts leave no trace."""
        parts = [top, "".join(t + "\n" for t in self.above),
                 "\n".join(self.functions_above), "".join(self.types),
                 "".join(t + "\n" for t in self.late),
                 "".join(t + "\n" for t in self.mallocs),
                 "".join(t + "\n" for t in self.data),
                 "".join(t + "\n" for t in self.macros.values()),
                 "\n".join(self.helpers.values()), "\n".join(self.functions)]
        return "\n".join(p for p in parts if p)


class Program:
    """Program number of a run with this seed, without some of its parts."""

    def __init__(self, seed, number, without=()):
        self.name = "p%d" % number
        self.sites = 0          # calls
        self.addresses = 0      # of functions of the API, taken
        self.shared = False
        self.parts = {}
        self.header = File(self.name)
        self.units = [File("%s_%d" % (self.name, i)) for i in range(2)]
        self.prototypes = []
        self.texts = {}
        self.tables = []
        self.rng = rng = random.Random("%d/%d" % (seed, number))
        self.seed = rng.randrange(1 << 31)
        next_part = 0
        for i in range(rng.choice([1, 2, 2, 3, 4])):
            own = random.Random("%d/%d/%d" % (seed, number, i))
            pool = Pool(self, i, own)
            uses = [own.choice(shapes("get_"))
                    for _ in range(own.choice([2, 3, 4, 6]))]
            uses += [own.choice(shapes("put_"))
                     for _ in range(own.choice([2, 3, 5]))]
            if own.random() < 0.3:
                uses.append(own.choice(shapes("also_")))
            if pool.pooled and own.random() < 0.8:
                uses = [u[:3] + "_macro_zone" for u in uses
                        if u[:3] in ("get", "put")]
            numbers = range(next_part, next_part + 1 + len(uses))
            next_part = numbers.stop
            self.parts[numbers[0]] = "pool"
            self.parts.update(zip(numbers[1:], uses))
            if numbers[0] not in without:
                self.pool(pool, [(n, u) for n, u in zip(numbers[1:], uses)
                                 if n not in without],
                          "%d/%d/%d" % (seed, number, i))

    def api(self, name):
        self.sites += 1
        return name

    def prototype(self, text):
        self.prototypes.append(text)

    def pool(self, pool, uses, seed):
        pool.declare()
        pool.make()
        table = pool.unmake()
        for number, shape in uses:
            rng = random.Random("%s/%d" % (seed, number))
            unit = self.units[rng.randrange(2)] if pool.visible else pool.home()
            if shape.startswith("also"):
                text = getattr(Shapes(pool, rng, unit), shape)()
                if text:
                    unit.functions.append(text)
                continue
            kind = shape[:3]
            name = "%s_%s%d" % (pool.name, kind, number)
            maker = Shapes(pool, rng, unit)
            result, args = ("void *", "int n") if kind == "get" else \
                ("void", "void *obj")
            body = getattr(maker, shape)()
            above = unit is pool.above and shape in PLAIN_PUTS
            (unit.functions_above if above else unit.functions).append(
                maker.function(result, name, args, body))
            self.prototype("%s%s%s(%s);" % (
                result, "" if kind == "get" else "\t", name, args))
            table.setdefault(kind, []).append(name)
        self.tables.append((pool, table))

    def files(self):
        """Name below sys/ and text of each file."""
        if self.texts:
            return self.texts
        self.header.functions.insert(
            0, "".join(p + "\n" for p in self.prototypes))
        guard = "_%s_H_" % self.name.upper()
        out = {"kern/%s.h" % self.name: self.header.text(
            "#ifndef %s\n#define\t%s\n" % (guard, guard)) + "\n#endif\n"}
        top = "".join("#include <%s>\n" % h for h in (
            "sys/param.h", "sys/systm.h", "sys/kernel.h", "sys/malloc.h",
            "sys/objcache.h", "sys/pool.h", "sys/spinlock.h", "vm/vm.h",
            "vm/vm_extern.h", "vm/vm_zone.h"))
        for unit in self.units:
            out["kern/%s.c" % unit.name] = unit.text(
                top + '#include "%s.h"\n' % self.name)
        for name, text in out.items():
            self.texts[name] = self.disguise(text)
        self.texts["kern/%s_main.c" % self.name] = self.main(top)
        return self.texts

    def disguise(self, text):
        """Some files come from elsewhere."""
        how = self.rng.randrange(20)
        if how == 0:
            return text.replace("\n", "\r\n")
        if how == 1:
            return "/* zfree(\xe4, \xf6) */\n" + text
        if how == 2:
            return text.rstrip("\n")
        if how == 3:
            return text.replace("\t", "    ")
        return text

    def main(self, top):
        text = top + '#include "%s.h"\n\n' % self.name
        text += "static struct pool pools[] = {\n"
        for pool, table in self.tables:
            text += "\t{\n\t\t.name = \"%s\",\n\t\t.size = %d,\n" % (
                pool.letter, 8 * pool.words)
            text += "\t\t.flags = %s,\n" % (" | ".join(sorted(pool.flags))
                                            or "0")
            text += "\t\t.init = %s_init,\n" % pool.name
            for key, value in sorted(table.items()):
                if isinstance(value, list):
                    value = "{ %s }" % ", ".join(value)
                text += "\t\t.%s = %s,\n" % (key, value)
            text += "\t},\n"
        text += "};\n\nconst struct program %s = {\n" % self.name
        text += '\t"%s", %du, pools, %d\n};\n' % (
            self.name, self.seed, len(self.tables))
        return text


def index(programs):
    """The unit that lists a tree's programs."""
    text = "#include <sys/pool.h>\n\n"
    text += "".join("extern const struct program %s;\n" % p.name
                    for p in programs)
    text += "\nconst struct program *const programs[] = {\n"
    text += "".join("\t&%s,\n" % p.name for p in programs)
    return text + "\tNULL\n};\n"
