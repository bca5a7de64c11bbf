"""What MaixPy starts by itself: the program without a hook. Makers put their own main.py here, see README.md."""

import pose_app

pose_app.run()
