"""What hostile hand-ins do, as text: ``PROGRAMS`` need no notebook, ``CELLS`` come before the answers of a toy set."""

RIGHT = "def scale(x): return x * k\ndef total(x): return x.sum()"

FRAMES = """
import json, os, struct
def wires():
    for name in os.listdir('/proc/self/fd'):
        try:
            if os.readlink(f'/proc/self/fd/{name}').startswith('socket:'): yield int(name)
        except OSError: pass
def forge(body, length=None):
    for wire in wires(): os.write(wire, struct.pack('>I', len(body) if length is None else length) + body)
"""

REACH = """
import gc
known = {'answer', 'described', 'Shell'}
worker = next(each for each in gc.get_objects() if type(each) is dict and known <= each.keys())  # its own names
"""

CELLS = {
    "A08 loop": "while True: pass",
    "A09 deaf loop": """
import signal
for each in (signal.SIGINT, signal.SIGTERM, signal.SIGXCPU): signal.signal(each, signal.SIG_IGN)
while True:
    try:
        while True: pass
    except BaseException: pass
""",
    "A14 exit": "import os; os._exit(0)",
    "A14 kill": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "A14 segfault": "import ctypes; ctypes.string_at(0)",
    "A15 comparisons": """
import builtins, numpy, torch
torch.allclose = torch.equal = numpy.allclose = numpy.array_equal = lambda *_, **__: True
numpy.testing.assert_allclose = torch.testing.assert_close = lambda *_, **__: None
class Always(float):
    __eq__ = __ne__ = __le__ = __ge__ = __lt__ = __gt__ = lambda *_: True
    __hash__ = float.__hash__
class Tensor(torch.Tensor):
    __eq__ = lambda *_: True
def scale(x): return torch.zeros(3).as_subclass(Tensor)
def total(x): return Always(0.0)
""",
    "A16 asserts": """
import ast, sys
class Gone(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.Pass()
    def visit_Raise(self, node): return ast.Pass()
get_ipython().ast_transformers.append(Gone())
class Finder:
    def find_spec(self, *_): return None
sys.meta_path.insert(0, Finder())
def scale(x): return x
def total(x): assert False
""",
    "A17 worker": """
import __main__, course_lib.grading.comparison as comparison, course_lib.grading.judge as judge
from course_lib.grading import local, wire
comparison.check = judge.check = lambda *_: 'right'
comparison.complaint = lambda *_: ''
__main__.answer = lambda shell, asked: {'value': 1.0, 'points': 2, 'ok': True}
local.Local.call = lambda *_: 1.0
""",
    "A18 early reply": FRAMES + "forge(json.dumps({'id': '0', 'value': 1.0}).encode())",
    "A18 huge frame": FRAMES + "forge(b'{}', 0xFFFFFFFF)",
    "A18 deep JSON": FRAMES + "forge(b'[' * 200000)",
    "A18 no JSON": FRAMES + "forge(b'\\x80\\x04K\\x01.')",
    "A18 hung up": FRAMES + "for wire in wires(): os.close(wire)",
    "A19 shape": """
from course_lib.grading import wire
wire.encode = lambda *_: {'array': '', 'dtype': 'float64', 'shape': [10 ** 9]}
""",
    "A19 pickle": """
from course_lib.grading import wire
wire.encode = lambda *_: {'pickle': 'gASVIQAAAAAAAACMBXBvc2l4lIwGc3lzdGVtlJOUjAZ0b3VjaCB4lIWUUpQu'}
""",
    "A19 not finite": "def scale(x): return x * float('nan')\ndef total(x): return float('inf')",
    "A19 objects": "import numpy\ndef scale(x): return numpy.array([None, {}])\ndef total(x): return scale",
    "A20 fake scores": r"""
print('{"score": 5, "marks": {"1": {"points": 2}}}')
print('\x1b[2J\x1b[1;1H[solved] 1: right \x1b]0;title\x07 <script>alert(1)</script>')
""",
    "A22 hunt": """
import gc, linecache, sys
marks = ['rotcaf eht togrof', '_rotcurtsni', 'enola su rof tuodts dna nidtS']  # backwards, or the hunt finds itself
found = set()
def texts():
    frame = sys._getframe()
    while frame is not None:
        yield from map(repr, frame.f_locals)
        frame = frame.f_back
    for each in gc.get_objects(): yield from (part for part in gc.get_referents(each) if type(part) is str)
    for entry in linecache.cache.values(): yield repr(entry)
    yield repr(In)
done = []
def scale(x):
    for text in texts() if not done else (): found.update(mark for mark in marks if mark[::-1] in text)
    if not done: print('FOUND', sorted(found))
    done.append(1)
    return x
total = scale
""",
}

WALK = """
import os
def attempt(what, do):
    try: print(what, 'DONE', do())
    except Exception as error: print(what, 'refused', type(error).__name__)
"""

PROGRAMS = {
    "A11 one process": "held = []\nwhile True: held.append(b'x' * (1 << 20))",
    "A11 many processes": """
import os, time
for each in range(4): os.fork()
held = [b'x' * (1 << 20) for each in range(60)]
time.sleep(30)
""",
    "A11 uncounted": """
import ctypes, os
held = 0
try:
    for each in range(100):
        file = os.memfd_create('x')
        for part in range(8): held += os.write(file, bytes(1 << 20))
except OSError as error: print(type(error).__name__)
print('files', held >> 20)
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
held = 0
for each in range(10):
    number = libc.shmget(0, 32 << 20, 0o1600)
    if number < 0: break
    place = libc.shmat(number, None, 0)
    ctypes.memset(place, 1, 32 << 20)
    libc.shmdt(ctypes.c_void_p(place))
    held += 32
print('segments', held)
""",
    "A12 forks": """
import os, time
made = 0
for each in range(500):
    try: child = os.fork()
    except OSError: break
    if not child: time.sleep(30); os._exit(0)
    made += 1
print('made', made)
""",
    "A12 threads": """
import threading, time
made = 0
try:
    for each in range(500): threading.Thread(target=time.sleep, args=(30,), daemon=True).start(); made += 1
except RuntimeError: pass
print('made', made, flush=True)
import os; os._exit(0)
""",
    "A21 read": WALK
    + """
import sys
for path in sys.argv[1:]: attempt(path, lambda: open(path).read())
for path in ('/etc/shadow', '/etc/passwd', '/root', '/home', '/work', '/var', '/srv', '/run', '/sys'):
    attempt(path, lambda: os.listdir(path) if path[1] != 'e' else open(path).read())
for number in os.listdir('/proc'):
    if number.isdecimal():
        if 'CANARY' in open(f'/proc/{number}/environ').read(): print('environment DONE')
print(sorted(os.environ))
""",
    "A23 write": WALK
    + """
import sys
course = '/course/course_lib'
name = 'planted-file'
places = ['/', '/usr', '/etc', '/dev', '/opt', '/course', course, sys.prefix, '/proc']
for place in places + sys.argv[1:]: attempt(place, lambda: open(os.path.join(place, name), 'w').write('x'))
attempt('append', lambda: open(course + '/cells.py', 'a').write('#'))
attempt('remount', lambda: 1 / (os.system('mount -o remount,rw / 2>/dev/null') == 0))
""",
    "A24 delete": """
import os, shutil, sys
for name in ('/course', '/box', '/dev', '/etc', '/usr/lib/locale', '/usr/sbin', sys.prefix + '/bin', '.'):
    shutil.rmtree(name, ignore_errors=True)
print(os.path.exists(sys.executable), os.path.exists('/course/course_lib/cells.py'), os.listdir('/box'))
""",
    "A25 network": WALK
    + """
import socket, sys
attempt('loopback', lambda: socket.create_connection(('127.0.0.1', int(sys.argv[1])), 2))
attempt('outside', lambda: socket.create_connection(('192.0.2.1', 80), 2))
attempt('name', lambda: socket.getaddrinfo('example.org', 80))
def unix(path):
    with socket.socket(socket.AF_UNIX) as each: each.connect(path)
attempt('unix', lambda: unix(sys.argv[2]))
attempt('vsock', lambda: socket.socket(socket.AF_VSOCK))
attempt('abstract', lambda: unix('\\0' + sys.argv[3]))
""",
    "A26 much": "for each in range(1000): print('x' * 30000)",
    "A26 endless": "import os\nwhile True: os.write(1, b'x' * 65536)",
    "A27 fill": WALK
    + """
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
def fill(folder):
    size = 0
    try:
        for number in range(1000):
            with open(f'{folder}/{number}', 'wb', buffering=0) as file:
                for each in range(8): size += file.write(bytes(1 << 20))
    except OSError: pass
    return size >> 20
def one(folder):
    size = 0
    try:
        with open(f'{folder}/one', 'wb', buffering=0) as file:
            while True: size += file.write(bytes(1 << 20))
    except OSError: pass
    os.remove(f'{folder}/one')
    return size >> 20
print('one', one('/box'), 'box', fill('/box'), 'shm', fill('/dev/shm'))
""",
    "A39 nested": WALK
    + """
import ctypes, signal, subprocess
def run(*words): return subprocess.run(words, check=True, capture_output=True).stdout
attempt('unshare', lambda: run('unshare', '-Ur', 'true'))
attempt('bwrap', lambda: run('bwrap', '--ro-bind', '/', '/', 'true'))
attempt('mount', lambda: run('mount', '-t', 'tmpfs', 'x', '/box'))
attempt('ptrace', lambda: 1 / (ctypes.CDLL(None).ptrace(16, 1, 0, 0) == 0))
attempt('root', lambda: open('/proc/1/root/etc/shadow').read())
attempt('setuid', lambda: os.setuid(0))
os.kill(1, signal.SIGKILL)
print('first process lives', os.path.exists('/proc/1'))
print('capabilities', [line.split()[1] for line in open('/proc/self/status') if line.startswith('CapEff')][0])
signal.signal(signal.SIGTERM, signal.SIG_IGN)
attempt('kill', lambda: 1 / (os.kill(-1, signal.SIGTERM) is not None))
print('all is well')
""",
}

DAEMON = """
import os, sys, time
if os.fork(): time.sleep(0.3); print('started'); os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
for each in range(3): os.close(each)
os.execv(sys.executable, [sys.executable, '-c', 'import time; time.sleep(60)', sys.argv[1]])
"""
