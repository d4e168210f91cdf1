# SPDX-License-Identifier: BSD-3-Clause
"""The shapes in which a program uses its zones and caches.

get_* and put_* are the bodies of functions that hand an object out and take it
back, also_* whole definitions that stand beside and are not called.  Each draws
the rest of how it looks from its own random numbers.
"""

import zlib

# Those that need nothing but the zone or cache.
PLAIN_PUTS = ("put_plain", "put_cast", "put_guarded", "put_comma", "put_void",
              "put_else", "put_returned", "put_switch", "put_one_line")


def block(text):
    """Lines of a function's body: written with four blanks for a tab."""
    out = []
    for line in text.strip("\n").splitlines():
        bare = line.lstrip(" ")
        deep = len(line) - len(bare)
        out.append("\t" * (deep // 4) + " " * (deep % 4) + bare)
    return "\n".join(out) + "\n"


class Shapes:
    """The bodies of functions that get and put.  self.z is the zone or cache,
    self.T the object's structure; A() and F(p) are the calls."""

    def __init__(self, pool, rng, unit):
        self.pool, self.rng, self.unit = pool, rng, unit
        self.program = pool.program
        self.z = pool.spelled(rng)
        self.T = pool.struct
        self.P = pool.name.upper()
        self.extra = pool.before()
        self.null = pool.nullable
        self.old_style = False

    def A(self, z=None):
        z = z or self.z
        if self.pool.is_zone:
            z = self.rng.choice([z, z, z, z, "(%s)" % z, " " + z, "/* a */ " + z])
            return "%s(%s)" % (self.program.api("zalloc"), z)
        return "%s(%s,%s%s)" % (
            self.program.api("objcache_get"), z,
            self.rng.choice([" ", " ", "\n        "]), self.pool.get_flags)

    def F(self, p, z=None):
        name = "zfree" if self.pool.is_zone else "objcache_put"
        return "%s(%s,%s%s)" % (self.program.api(name), z or self.z,
                                self.rng.choice([" ", " ", "\n        "]), p)

    def touch(self, deep=1):
        """Write to the object, after the check that it is there."""
        pad = "    " * deep
        if not self.null:
            return pad + "p->w[2] = n;\n"
        return self.rng.choice([
            pad + "if (p == NULL)\n" + pad + "    return (NULL);\n"
            + pad + "p->w[2] = n;\n",
            pad + "if (p != NULL)\n" + pad + "    p->w[2] = n;\n",
            pad + "if (!p)\n" + pad + "    return (NULL);\n"
            + pad + "p->w[2] = n;\n"])

    def function(self, result, name, args, body):
        if self.old_style:
            kind, arg = args.split(" ")
            args = "%s)\n    %s %s;\n{" % (arg, kind, arg)
        else:
            args += ")\n{"
        return block("%s\n%s(%s\n%s%s}" % (result, name, args, self.extra,
                                           body))

    # Each shape returns the whole body, declarations first.

    def get_plain(self):
        return "    %s *p;\n\n    p = %s;\n%s    return (p);\n" % (
            self.T, self.A(), self.touch())

    def get_initialiser(self):
        return "    %s *p = %s;\n\n%s    return (p);\n" % (
            self.T, self.A(), self.touch())

    def get_returned(self):
        return self.first() + "    return (%s);\n" % self.A()

    def get_returned_bare(self):
        return self.first() + "    return %s;\n" % self.A()

    def first(self):
        """An empty line after the declarations, if there are any."""
        return "\n" if self.extra else ""

    def get_cast(self):
        return "    %s *p;\n\n    p = (%s *)%s;\n%s    return (p);\n" % (
            self.T, self.T, self.A(), self.touch())

    def get_tested(self):
        return ("    %s *p;\n\n    if ((p = %s) == NULL)\n"
                "        return (NULL);\n    p->w[2] = n;\n    return (p);\n"
                % (self.T, self.A()))

    def get_not_tested(self):
        return ("    %s *p;\n\n    if (!(p = %s)) {\n"
                "        return (NULL);\n    }\n    p->w[2] = n;\n"
                "    return (p);\n" % (self.T, self.A()))

    def get_and(self):
        return ("    %s *p = NULL;\n\n    if (n < 1000 && (p = %s) != NULL)\n"
                "        p->w[2] = n;\n    return (p);\n" % (self.T, self.A()))

    def get_ternary(self):
        return ("    %s *p;\n\n    p = n > 1000 ? NULL : %s;\n%s"
                "    return (p);\n" % (self.T, self.A(), self.touch()))

    def get_ternary_both(self):
        return ("    void *p;\n\n    p = (n & 1) ? %s : %s;\n    return (p);\n"
                % (self.A(), self.A()))

    def get_loop(self):
        return self.rng.choice([
            "    %s *p = NULL;\n\n    for (; p == NULL && n >= 0; --n)\n"
            "        p = %s;\n    return (p);\n",
            "    %s *p;\n\n    do {\n        p = %s;\n"
            "    } while (p == NULL && --n > 0);\n    return (p);\n",
            "    %s *p;\n\n    while ((p = %s) == NULL) {\n"
            "        if (--n < 0)\n            return (NULL);\n    }\n"
            "    return (p);\n"]) % (self.T, self.A())

    def get_again(self):
        return ("    %s *p;\n\nagain:\n    p = %s;\n"
                "    if (p == NULL && n-- > 0)\n        goto again;\n"
                "    return (p);\n" % (self.T, self.A()))

    def get_statement_expression(self):
        return ("    %s *p;\n\n    p = ({ %s *v = %s; v; });\n%s"
                "    return (p);\n" % (self.T, self.T, self.A(), self.touch()))

    def get_switch(self):
        return ("    %s *p;\n\n    switch (n & 3) {\n    case 0:\n"
                "        p = %s;\n        break;\n    case 1:\n    default:\n"
                "        p = %s;\n    }\n%s    return (p);\n"
                % (self.T, self.A(), self.A(), self.touch()))

    def get_comma(self):
        return self.first() + "    return (++n, %s);\n" % self.A()

    def get_chain(self):
        return ("    %s *p;\n    void *q;\n\n    q = p = %s;\n%s"
                "    return (q);\n" % (self.T, self.A(), self.touch()))

    def get_array(self):
        return ("    void *v[2] = { NULL, NULL };\n\n    v[n & 1] = %s;\n"
                "    return (v[n & 1]);\n" % self.A())

    def get_member(self):
        return ("    struct { int i; %s *p; } s;\n\n    s.i = n;\n"
                "    s.p = %s;\n    return (s.p);\n" % (self.T, self.A()))

    def get_braces(self):
        return ("    %s *v[] = { %s };\n\n    return (v[0]);\n"
                % (self.T, self.A()))

    def get_passed(self):
        self.unit.need("pass", block(
            "static __inline void *\n%s_pass(void *p)\n{\n    return (p);\n}"
            % self.unit.name))
        return self.first() + "    return (%s_pass(%s));\n" % (
            self.unit.name, self.A())

    def get_unbraced(self):
        return ("    %s *p;\n\n    if (n > 3)\n        p = %s;\n    else\n"
                "        p = %s;\n%s    return (p);\n"
                % (self.T, self.A(), self.A(), self.touch()))

    def get_inactive(self):
        return ("    %s *p;\n\n#ifdef %s_DEBUG\n    p = %s;\n#else\n"
                "    p = %s;\n#endif\n%s    return (p);\n"
                % (self.T, self.P, self.A(), self.A(), self.touch()))

    def get_macro(self):
        macro = self.P + "_GET"
        self.unit.macro(macro, lambda: "#define\t%s()\t%s" % (
            macro, self.A().replace("\n", " \\\n")), not self.extra)
        if self.extra:
            return self.get_plain()
        return "    %s *p;\n\n    p = %s();\n%s    return (p);\n" % (
            self.T, macro, self.touch())

    def get_macro_statement(self):
        macro = self.P + "_GETTO"
        if self.extra:
            return self.get_plain()
        self.unit.macro(macro, lambda: (
            "#define\t%s(v)\t\t\t\\\n\tdo {\t\t\t\t\\\n\t\t(v) = %s;\t\\\n"
            "\t} while (0)" % (macro, self.A().replace("\n", " \\\n"))))
        return "    %s *p;\n\n    %s(p);\n%s    return (p);\n" % (
            self.T, macro, self.touch())

    def get_macro_zone(self):
        return "    %s *p;\n\n    p = %s(%s);\n    return (p);\n" % (
            self.T, self.macro_of_unit(), self.z)

    def macro_name(self):
        return "%s_%sGET" % (self.unit.name.upper(),
                             "Z" if self.pool.is_zone else "C")

    def macro_of_unit(self):
        macro = self.macro_name()
        body = "p" if self.rng.random() < 0.5 else "(p)"
        self.unit.macro(macro, lambda: "#define\t%s(p)\t%s" % (
            macro, self.A(body).replace("\n", " \\\n")))
        return macro

    def get_macro_argument(self):
        macro = self.unit.name.upper() + "_SAME"
        self.unit.macro(macro, lambda: "#define\t%s(x)\t(x)" % macro)
        return "    %s *p;\n\n    p = %s(%s);\n%s    return (p);\n" % (
            self.T, macro, self.A(), self.touch())

    def get_from(self):
        kind = "zone" if self.pool.is_zone else "cache"
        flags = self.pool.zone_flags if self.pool.is_zone else \
            self.pool.get_flags
        name = "%s_from_%s_%x" % (self.unit.name, kind,
                                  zlib.crc32(flags.encode()))
        star = self.pool.type + ("" if self.pool.type.endswith("*") else " ")
        self.unit.need(name, lambda: block(
            "static void *\n%s(%spool, int n)\n{\n"
            "    return (n > 1000 ? NULL : %s);\n}"
            % (name, star, self.A("pool"))))
        return self.first() + "    return (%s(%s, n));\n" % (name, self.z)

    def get_alias(self):
        star = self.pool.type + ("" if self.pool.type.endswith("*") else " ")
        how = self.rng.random() < 0.5
        return ("    %spool%s;\n    %s *p;\n\n%s    p = %s;\n"
                "    return (p);\n"
                % (star, " = " + self.z if how else "", self.T,
                   "" if how else "    pool = %s;\n" % self.z, self.A("pool")))

    def get_and_put(self):
        if self.null or not self.pool.is_zone and self.pool.fails:
            return self.get_plain()
        if self.macro_name() not in self.unit.macros \
                and self.rng.random() < 0.5:
            what = "%s(%s)" % (self.macro_of_unit(), self.z)
        else:
            what = self.A()
        return "%s    %s;\n    return (%s);\n" % (
            self.first(), self.F(what), self.A())

    def get_asserted(self):
        return ("    %s *p;\n\n    KKASSERT(%s != NULL);\n    p = %s;\n%s"
                "    return (p);\n" % (self.T, self.z, self.A(), self.touch()))

    def get_commented(self):
        return ("    %s *p;\n\n    /* as zalloc(z) would */\n"
                "    p = %s;\t/* zfree(z, p) follows */\n"
                "    if (n > 1000)\n"
                "        kprintf(\"objcache_get(%%d)\", n);\n%s"
                "    return (p);\n" % (self.T, self.A(), self.touch()))

    def get_locked(self):
        if "POOL_SPIN" not in self.pool.flags:
            return self.get_plain()
        return ("    static struct spinlock lock;\n    %s *p;\n\n"
                "    spin_lock(&lock);\n    p = %s;\n    spin_unlock(&lock);\n"
                "%s    return (p);\n" % (self.T, self.A(), self.touch()))

    def get_nested_block(self):
        return ("    %s *p;\n\n    {\n        {\n            p = %s;\n"
                "        }\n    }\n%s    return (p);\n"
                % (self.T, self.A(), self.touch()))

    def get_one_line(self):
        return "    %s *p; p = %s; return (p);\n" % (self.T, self.A())

    def get_old_style(self):
        self.old_style = True
        return self.get_plain()

    def inline(self, key, text):
        """In the header, for pools that it knows; else nowhere."""
        if self.pool.storage not in ("extern", "field"):
            return None
        name = "%s_%s" % (self.pool.name, key)
        self.program.header.need(name, lambda: block(text() % name))
        return name

    def get_inline(self):
        name = self.inline("pick", lambda: (
            "static __inline void *\n%%s(int n)\n{\n"
            "    return (n > 1000 ? NULL : %s);\n}" % self.A()))
        return "    return (%s(n));\n" % name if name else self.get_plain()

    def get_bare_comma(self):
        return ("    %s *p;\n\n    p = %s;\n    n = (int [2]){ n, 0 }[0];\n%s"
                "    return (p);\n" % (self.T, self.A(), self.touch()))

    def put_inline(self):
        name = self.inline("return", lambda: (
            "static __inline void\n%%s(void *p)\n{\n    %s;\n}"
            % self.F("p")))
        return "    %s(obj);\n" % name if name else self.put_plain()

    def put_plain(self):
        return "    %s *p = obj;\n\n    %s;\n" % (self.T, self.F("p"))

    def put_cast(self):
        return "%s    %s;\n" % (self.first(), self.F(self.rng.choice(
            ["(%s *)obj" % self.T, "(char *)obj + 0", "(void *)(long)obj"])))

    def put_guarded(self):
        return self.first() + "    if (obj != NULL)\n        %s;\n" % self.F(
            "obj")

    def put_else(self):
        return self.first() + (
            "    if (obj == NULL)\n        kprintf(\"none\");\n    else\n"
            "        %s;\n" % self.F("obj"))

    def put_comma(self):
        return self.first() + "    %s, obj = NULL;\n" % self.F("obj")

    def put_ternary(self):
        return self.first() + "    obj != NULL ? %s : (void)0;\n" % self.F(
            "obj")

    def put_void(self):
        return self.first() + "    (void)%s;\n" % self.F("obj")

    def put_member(self):
        return ("    struct { long i; %s *p; } s = { 0, obj }, *sp = &s;\n\n"
                "    %s;\n" % (self.T, self.F(self.rng.choice(
                    ["s.p", "sp->p", "(&s)->p", "sp[0].p"]))))

    def put_side_effect(self):
        return ("    void *v[2] = { obj, NULL };\n    void **pp = v;\n\n"
                "    %s;\n    KKASSERT(pp == v + 1);\n" % self.F("*pp++"))

    def put_passed(self):
        self.unit.need("pass", block(
            "static __inline void *\n%s_pass(void *p)\n{\n    return (p);\n}"
            % self.unit.name))
        return self.first() + "    %s;\n" % self.F(
            "%s_pass(obj)" % self.unit.name)

    def put_comma_argument(self):
        return "    int n = 0;\n\n    %s;\n    KKASSERT(n == 1);\n" % self.F(
            "(++n, obj)")

    def put_conditional_argument(self):
        return "    void *q = obj;\n\n    %s;\n" % self.F(
            "q == obj ? obj : q")

    def put_assigned_argument(self):
        return "    void *q;\n\n    %s;\n    KKASSERT(q == obj);\n" % self.F(
            "q = obj")

    def put_compound(self):
        return self.first() + "    %s;\n" % self.F(
            "((void *[]){ obj, NULL })[0]")

    def put_compound_bare(self):
        return self.first() + "    %s;\n" % self.F("(void *[]){ obj, NULL }[0]")

    def put_loop(self):
        return self.rng.choice([
            "    int i;\n\n    for (i = 0; i < 1; ++i)\n        %s;\n",
            "    int i;\n\n    for (i = 0; i < 1; ++i, %s)\n        ;\n",
            "    int i = 0;\n\n    do\n        %s;\n    while (++i < 1);\n",
            "    int i = 1;\n\n    while (i-- > 0) {\n        %s;\n    }\n"]
        ) % self.F("obj")

    def put_switch(self):
        return self.first() + (
            "    switch (ncpus) {\n    case 2: break;\n    case 1:\n"
            "        %s;\n    }\n" % self.F("obj"))

    def put_macro(self):
        macro = self.P + "_PUT"
        if self.extra:
            return self.put_plain()
        self.unit.macro(macro, lambda: "#define\t%s(v)\t%s" % (
            macro, self.F("v").replace("\n", " \\\n")))
        return self.first() + "    %s(obj);\n" % macro

    def put_macro_zone(self):
        macro = "%s_%sPUT" % (self.unit.name.upper(),
                              "Z" if self.pool.is_zone else "C")
        how = self.rng.choice([("v", "p"), ("(v)", "p"), ("(v)", "(p)")])
        self.unit.macro(macro, lambda: "#define\t%s(p, v)\t%s" % (
            macro, self.F(*how).replace("\n", " \\\n")))
        return self.first() + "    %s(%s, obj);\n" % (macro, self.z)

    def put_to(self):
        kind = "zone" if self.pool.is_zone else "cache"
        name = "%s_to_%s" % (self.unit.name, kind)
        star = self.pool.type + ("" if self.pool.type.endswith("*") else " ")
        self.unit.need(name, lambda: block(
            "static void\n%s(%spool, void *obj)\n{\n    %s;\n}"
            % (name, star, self.F("obj", "pool"))))
        return self.first() + "    %s(%s, obj);\n" % (name, self.z)

    def put_alias(self):
        star = self.pool.type + ("" if self.pool.type.endswith("*") else " ")
        return "    %spool = %s;\n\n    %s;\n" % (star, self.z,
                                               self.F("obj", "pool"))

    def put_inactive(self):
        return self.first() + (
            "#if 0\n    %s;\n#else\n    %s;\n#endif\n"
            % (self.F("obj"), self.F("obj")))

    def put_commented(self):
        return self.first() + (
            "    /* not zfree(z, obj); */\n    %s;\t// zfree\n"
            % self.F("obj /* , z */"))

    def put_returned(self):
        return self.first() + "    return %s;\n" % self.F("obj")

    def put_one_line(self):
        return self.first() + "    if (obj) { %s; obj = NULL; }\n" % self.F(
            "obj")

    def put_long(self):
        return ("    struct { struct { %s *of_the_pool; } a_member; } "
                "some_structure;\n\n"
                "    some_structure.a_member.of_the_pool = obj;\n    %s;\n"
                % (self.T, self.F("some_structure.a_member.of_the_pool")))


    # What stands beside: whole definitions that the driver does not call.

    def also_inactive(self):
        return ("#if 0\nvoid\n%s_never(void)\n{\n\t%s;\n}\n#endif\n"
                % (self.pool.name, self.F(self.A())))

    def also_other_names(self):
        name = self.pool.name
        return block("""
struct %s_ops {
    void *(*zalloc)(int n);
    void (*objcache_put)(void *p, int n);
};

void
%s_call(struct %s_ops *ops)
{
    ops->objcache_put(ops->zalloc(1), 2);
}""" % (name, name, name))

    def also_unexpanded(self):
        self.unit.macro(self.P + "_NEVER", lambda: "#define\t%s_NEVER(p)\t%s"
                        % (self.P, self.F("p").replace("\n", " \\\n")))
        return ""

    def also_returned(self):
        star = self.pool.type + ("" if self.pool.type.endswith("*") else " ")
        name = self.pool.name + "_itself"
        self.program.prototype("%s%s(void);" % (star, name))
        return block("%s\n%s(void)\n{\n%s    return (%s);\n}" % (
            star.rstrip(), name, self.extra, self.z))

    def also_stored(self):
        star = self.pool.type + ("" if self.pool.type.endswith("*") else " ")
        return block("%s*%s_where;\n\nvoid %s_keep(void);\n\nvoid\n"
                     "%s_keep(void)\n{\n%s    %s_where = &%s;\n}" % (
                         star, self.pool.name, self.pool.name, self.pool.name,
                         self.extra, self.pool.name, self.z))

    def also_asked(self):
        name = self.pool.name + "_ready"
        self.program.prototype("int\t%s(void);" % name)
        return block("int\n%s(void)\n{\n%s    return (%s != NULL);\n}" % (
            name, self.extra, self.z))

    def also_function_pointer(self):
        api = "zfree" if self.pool.is_zone else "objcache_put"
        self.program.addresses += 1
        name = self.pool.name + "_put_it"
        star = self.pool.type + ("" if self.pool.type.endswith("*") else " ")
        return "void (*%s)(%s, void *) = %s;\n" % (name, star.strip(), api)


def shapes(prefix):
    return sorted(n for n in dir(Shapes) if n.startswith(prefix))
