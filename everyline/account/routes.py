"""The pages of the door and of the profile."""

from fastapi import APIRouter

from everyline.account import door, profile

router = APIRouter()
router.routes.extend(door.router.routes)
router.routes.extend(profile.router.routes)
